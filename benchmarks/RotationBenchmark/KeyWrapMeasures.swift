import Cryptography
import Glibc

/// Unwrap and wrap of 32-byte keys on one core: each pair unwraps under one key-encryption key and wraps under another.
final class KeyWrapMeasures {
    /// Enough that no input is met again at once, little enough for the second-level cache.
    private static let count = 4096
    private static let wrappedLength = KeyWrap.wrappedLength

    private let sourceKey: SecureBytes
    private let targetKey: SecureBytes
    private let input: UnsafeMutablePointer<UInt8>
    private let output: UnsafeMutablePointer<UInt8>
    private let expected: UnsafeMutablePointer<UInt8>

    init() throws {
        sourceKey = try Random.key()
        targetKey = try Random.key()
        let length = Self.count * Self.wrappedLength
        input = .allocate(capacity: length)
        output = .allocate(capacity: length)
        expected = .allocate(capacity: length)
        expected.initialize(repeating: 0, count: length)
        let wrapSource = try OpenSSL.Context("AES-256-WRAP", key: sourceKey, encrypting: true)
        let wrapTarget = try OpenSSL.Context("AES-256-WRAP", key: targetKey, encrypting: true)
        for index in 0..<Self.count {
            let key = try Random.publicBytes(32)
            let offset = index * Self.wrappedLength
            guard wrapSource.apply(key, 32, to: input + offset), wrapTarget.apply(key, 32, to: expected + offset)
            else { throw OpenSSL.Failure(what: "AES-256-WRAP") }
        }
    }

    deinit {
        input.deallocate()
        output.deallocate()
        expected.deallocate()
    }

    /// EVP's AES-256-WRAP, one context for each direction, kept.
    func evp() throws -> Double {
        let unwrap = try OpenSSL.Context("AES-256-WRAP", key: sourceKey, encrypting: false)
        let wrap = try OpenSSL.Context("AES-256-WRAP", key: targetKey, encrypting: true)
        // Room for 40: OpenSSL may write up to the input's length before it checks.
        let key = UnsafeMutablePointer<UInt8>.allocate(capacity: 40)
        defer { key.deallocate() }
        return try measured {
            for offset in stride(from: 0, to: Self.count * Self.wrappedLength, by: Self.wrappedLength) {
                guard unwrap.apply(input + offset, 40, to: key), wrap.apply(key, 32, to: output + offset) else {
                    throw OpenSSL.Failure(what: "AES-256-WRAP")
                }
            }
        }
    }

    /// keyroll's form for one key at a time, which makes a context each time.
    func single() throws -> Double {
        return try measured {
            for offset in stride(from: 0, to: Self.count * Self.wrappedLength, by: Self.wrappedLength) {
                let wrapped = UnsafeRawBufferPointer(start: input + offset, count: Self.wrappedLength)
                let key = try KeyWrap.unwrap(wrapped, under: sourceKey)
                let again = try key.withUnsafeBytes { try KeyWrap.wrap($0, under: targetKey) }
                (output + offset).update(from: again, count: Self.wrappedLength)
            }
        }
    }

    /// keyroll's form for batches, as the rewrap does it.
    func lanes() throws -> Double {
        let unwrapping = try BlockCipher(key: sourceKey, .decrypt)
        let wrapping = try BlockCipher(key: targetKey, .encrypt)
        let lanes = try KeyWrapLanes()
        let width = KeyWrapLanes.width
        return try measured {
            for first in stride(from: 0, to: Self.count, by: width) {
                let base = first * Self.wrappedLength
                for lane in 0..<width { lanes.load(wrapped: input + base + lane * Self.wrappedLength, lane: lane) }
                try lanes.unwrap(width, under: unwrapping)
                for lane in 0..<width where !lanes.isIntact(lane) { throw OpenSSL.Failure(what: "intact key") }
                try lanes.wrap(width, under: wrapping)
                for lane in 0..<width { lanes.store(wrapped: output + base + lane * Self.wrappedLength, lane: lane) }
            }
            lanes.wipeLanes()
        }
    }

    /// What AES-256-ECB alone would allow: 24 blocks decrypted and 24 encrypted make a pair.
    func blocksAlone() throws -> Double {
        let decrypting = try OpenSSL.Context("AES-256-ECB", key: sourceKey, encrypting: false)
        let encrypting = try OpenSSL.Context("AES-256-ECB", key: targetKey, encrypting: true)
        let bytes = KeyWrapLanes.width * 16
        return try Stopwatch.rate {
            for _ in 0..<24 {
                guard decrypting.apply(output, bytes, to: output), encrypting.apply(output, bytes, to: output) else {
                    throw OpenSSL.Failure(what: "AES-256-ECB")
                }
            }
            return KeyWrapLanes.width
        }
    }

    /// Pairs a second of one pass over all keys; the result is held against EVP's, so that nothing fast and wrong counts.
    private func measured(_ pass: () throws -> Void) throws -> Double {
        output.initialize(repeating: 0, count: Self.count * Self.wrappedLength)
        let rate = try Stopwatch.rate {
            try pass()
            return Self.count
        }
        guard memcmp(output, expected, Self.count * Self.wrappedLength) == 0 else {
            throw OpenSSL.Failure(what: "the same wrapped key in every form")
        }
        return rate
    }
}
