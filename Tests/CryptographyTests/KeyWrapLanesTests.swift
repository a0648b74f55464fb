import Cryptography
import Testing

/// Many keys in step, against OpenSSL's own mode.
@Suite struct KeyWrapLanesTests {
    private let wrappingKey: [UInt8] = patterned(32, seed: 3394)

    /// Every number of keys that a batch can have.
    @Test func equalToOneByOne() throws {
        let wrappingKey = try secure(wrappingKey)
        let encrypting = try BlockCipher(key: wrappingKey, .encrypt)
        let decrypting = try BlockCipher(key: wrappingKey, .decrypt)
        let lanes = try KeyWrapLanes()
        for count in 0...KeyWrapLanes.width {
            let keys = (0..<count).map { patterned(32, seed: UInt64(count * 1000 + $0)) }
            let wrapped = try wrap(keys, in: lanes, under: encrypting)
            let expected = try keys.map { try wrapAlone($0, under: wrappingKey) }
            #expect(wrapped == expected, "\(count) keys")
            #expect(try unwrap(wrapped, in: lanes, under: decrypting) == keys, "\(count) keys")
        }
    }

    /// 320 keys, each with another bit altered, in batches with good ones: those alone fail.
    @Test func oneAlteredBitFailsThatKeyAlone() throws {
        let cipher = try BlockCipher(key: secure(wrappingKey), .decrypt)
        let lanes = try KeyWrapLanes()
        let key = patterned(32, seed: 42)
        let good = try wrapAlone(key, under: secure(wrappingKey))
        for bit in 0..<KeyWrap.wrappedLength * 8 {
            let bad = bit % KeyWrapLanes.width
            var batch = [[UInt8]](repeating: good, count: KeyWrapLanes.width)
            batch[bad] = flipping(bit, of: good)
            let opened = try unwrap(batch, in: lanes, under: cipher)
            #expect(opened[bad] == nil, "bit \(bit)")
            #expect(opened.count { $0 == key } == KeyWrapLanes.width - 1, "bit \(bit)")
        }
    }

    /// All of a batch may be bad, and the next batch is none the worse.
    @Test func nothingIsLeftOfABadBatch() throws {
        let cipher = try BlockCipher(key: secure(wrappingKey), .decrypt)
        let lanes = try KeyWrapLanes()
        let noise = (0..<KeyWrapLanes.width).map { patterned(40, seed: UInt64($0)) }
        #expect(try unwrap(noise, in: lanes, under: cipher).allSatisfy { $0 == nil })
        let good = try wrapAlone(patterned(32, seed: 5), under: secure(wrappingKey))
        #expect(try unwrap([good], in: lanes, under: cipher) == [patterned(32, seed: 5)])
    }

    /// What a rewrap does: the same lanes are unwrapped under one key and wrapped under another.
    @Test func unwrappedLanesAreWrappedAsTheyAre() throws {
        let other = patterned(32, seed: 99)
        let lanes = try KeyWrapLanes()
        let keys = (0..<KeyWrapLanes.width).map { patterned(32, seed: UInt64($0)) }
        let wrapped = try keys.map { try wrapAlone($0, under: secure(wrappingKey)) }
        _ = try unwrap(wrapped, in: lanes, under: BlockCipher(key: secure(wrappingKey), .decrypt))
        try lanes.wrap(keys.count, under: BlockCipher(key: secure(other), .encrypt))
        for (lane, key) in keys.enumerated() {
            var rewrapped = [UInt8](repeating: 0, count: KeyWrap.wrappedLength)
            rewrapped.withUnsafeMutableBytes { lanes.store(wrapped: $0.baseAddress!, lane: lane) }
            #expect(try rewrapped == wrapAlone(key, under: secure(other)))
        }
    }

    @Test func wipingForgetsTheKeys() throws {
        let lanes = try KeyWrapLanes()
        let keys = (0..<KeyWrapLanes.width).map { patterned(32, seed: UInt64($0)) }
        _ = try wrap(keys, in: lanes, under: BlockCipher(key: secure(wrappingKey), .encrypt))
        lanes.wipeLanes()
        for lane in keys.indices { #expect(key(in: lane, of: lanes).allSatisfy { $0 == 0 }) }
    }
}
