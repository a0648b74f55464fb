import Cryptography
import Testing

/// One key at a time.
@Suite struct KeyWrapTests {
    private static let wrappingKey = (0..<32).map { UInt8($0) }

    /// RFC 3394 section 4: the cases with a 256-bit key-encryption key.
    @Test(arguments: [
        ("4.3", "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
        (
            "4.5", "00112233445566778899aabbccddeeff0001020304050607",
            "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"
        ),
        (
            "4.6", "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"
        ),
    ])
    func answersOfTheRFC(section: String, key: String, wrapped: String) throws {
        let wrappingKey = try secure(Self.wrappingKey)
        #expect(try wrapAlone(bytes(key), under: wrappingKey) == bytes(wrapped))
        #expect(try unwrapAlone(bytes(wrapped), under: wrappingKey) == bytes(key))
    }

    @Test func anotherKeyFails() throws {
        let wrapped = try wrapAlone([UInt8](repeating: 7, count: 32), under: secure(Self.wrappingKey))
        #expect(try unwrapAlone(wrapped, under: secure(flipping(255, of: Self.wrappingKey))) == nil)
    }

    /// 100,000 of them, those that differ in one bit among them; none opens it, alone or in a batch.
    @Test func wrongKeysAllFail() throws {
        let wrapped = try wrapAlone([UInt8](repeating: 7, count: 32), under: secure(Self.wrappingKey))
        let lanes = try KeyWrapLanes()
        var generator = SeededGenerator(state: 21)
        for number in 0..<100_000 {
            let wrong =
                number < 256
                ? flipping(number, of: Self.wrappingKey)
                : (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let key = try secure(wrong)
            #expect(try unwrapAlone(wrapped, under: key) == nil, "\(wrong)")
            guard number % 100 == 0 else { continue }
            #expect(try unwrap([wrapped, wrapped], in: lanes, under: BlockCipher(key: key, .decrypt)) == [nil, nil])
        }
    }

    @Test func everyAlteredBitFails() throws {
        let wrappingKey = try secure(Self.wrappingKey)
        let wrapped = try wrapAlone(patterned(32, seed: 1), under: wrappingKey)
        for bit in 0..<wrapped.count * 8 {
            let opened = try unwrapAlone(flipping(bit, of: wrapped), under: wrappingKey)
            #expect(opened == nil, "bit \(bit)")
        }
    }

    @Test(arguments: [0, 8, 15, 17, 31, 33])
    func keysOfAnotherLengthAreRefused(count: Int) throws {
        let wrappingKey = try secure(Self.wrappingKey)
        #expect(throws: CryptographyError(.wrongLength)) {
            try wrapAlone([UInt8](repeating: 1, count: count), under: wrappingKey)
        }
    }

    @Test(arguments: [0, 8, 16, 23, 39, 41])
    func wrappedKeysOfAnotherLengthAreRefused(count: Int) throws {
        let wrappingKey = try secure(Self.wrappingKey)
        #expect(throws: CryptographyError(.wrongLength)) {
            try unwrapAlone([UInt8](repeating: 1, count: count), under: wrappingKey)
        }
    }

    @Test(arguments: [0, 16, 24, 31, 33])
    func generationsHave32Bytes(count: Int) throws {
        let short = try SecureBytes(count: count)
        #expect(throws: CryptographyError(.wrongLength)) {
            try wrapAlone([UInt8](repeating: 1, count: 32), under: short)
        }
        #expect(throws: CryptographyError(.wrongLength)) { _ = try BlockCipher(key: short, .encrypt) }
    }
}
