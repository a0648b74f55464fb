/// Known-answer tests that run when keyroll starts, a negative one for each algorithm included.
///
/// keyroll refuses to work when one fails: a broken library or a broken processor would otherwise write
/// secrets that nobody can open again.
public enum SelfTest {
    /// Runs all of them; takes well under a millisecond.
    ///
    /// - Throws: ``CryptographyError`` with `selfTestFailed` and the algorithm's name.
    public static func run() throws {
        try keyWrap()
        try contentCipher()
        try authenticator()
    }

    /// RFC 3394 section 4.6: 256 bits of key data with a 256-bit key-encryption key, both forms.
    private static func keyWrap() throws {
        let wrappingKey = try SecureBytes(count: 32) { for index in 0..<32 { $0[index] = UInt8(index) } }
        let key: [UInt8] =
            (0..<16).map { UInt8($0 * 17) } + (0..<16).map { UInt8($0) }
        let expected = bytes("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")

        let single = try key.withUnsafeBytes { try KeyWrap.wrap($0, under: wrappingKey) }
        try expect(single == expected, "AES-256-WRAP")

        let lanes = try KeyWrapLanes()
        let count = 3
        key.withUnsafeBytes { source in
            for lane in 0..<count { lanes.load(key: source.baseAddress!, lane: lane) }
        }
        try lanes.wrap(count, under: BlockCipher(key: wrappingKey, .encrypt))
        var batch = [UInt8](repeating: 0, count: count * 40)
        batch.withUnsafeMutableBytes { output in
            for lane in 0..<count { lanes.store(wrapped: output.baseAddress! + lane * 40, lane: lane) }
        }
        try expect(batch == expected + expected + expected, "key wrap in batches")

        // One altered bit makes that key fail, and no other.
        batch[40 + 7] ^= 1
        batch.withUnsafeBytes { input in
            for lane in 0..<count { lanes.load(wrapped: input.baseAddress! + lane * 40, lane: lane) }
        }
        try lanes.unwrap(count, under: BlockCipher(key: wrappingKey, .decrypt))
        try expect(
            lanes.isIntact(0) && !lanes.isIntact(1) && lanes.isIntact(2), "key unwrap in batches, integrity check")
        var opened = [UInt8](repeating: 0, count: 32)
        opened.withUnsafeMutableBytes { lanes.store(key: $0.baseAddress!, lane: 2) }
        try expect(opened == key, "key unwrap in batches")
    }

    /// The GCM specification's test case 16: AES-256, 96-bit nonce, additional data, a partial last block.
    private static func contentCipher() throws {
        let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
        let nonce = bytes("cafebabefacedbaddecaf888")
        let additional = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        let plaintext = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                + "b16aedf5aa0de657ba637b39")
        let expected = bytes(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
                + "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b")
        let cipher = try ContentCipher()
        var sealed = [UInt8](repeating: 0, count: expected.count)
        var opened = [UInt8](repeating: 0, count: plaintext.count)
        func open() -> Bool {
            sealed.withUnsafeBytes { input in
                additional.withUnsafeBytes {
                    cipher.open(input, key: key, nonce: nonce, authenticating: $0, into: &opened)
                }
            }
        }
        let done = plaintext.withUnsafeBytes { input in
            additional.withUnsafeBytes {
                cipher.seal(input, key: key, nonce: nonce, authenticating: $0, into: &sealed)
            }
        }
        try expect(done && sealed == expected, "AES-256-GCM")
        try expect(open() && opened == plaintext, "AES-256-GCM, opening")
        sealed[sealed.count - 1] ^= 1
        try expect(!open() && opened.allSatisfy { $0 == 0 }, "AES-256-GCM, tag")
    }

    /// RFC 4231 test case 1. Its key has 20 bytes; HMAC pads a key with zeros itself (RFC 2104 section 2), so
    /// the same key in 32 bytes gives the same answer.
    private static func authenticator() throws {
        let key = try SecureBytes(count: 32) { for index in 0..<20 { $0[index] = 0x0b } }
        let expected = bytes("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        let tag = try Array("Hi There".utf8).withUnsafeBytes { try Authenticator(key: key).tag($0) }
        try expect(tag == expected, "HMAC-SHA-256")
    }

    private static func expect(_ holds: Bool, _ what: String) throws {
        guard holds else { throw CryptographyError(.selfTestFailed, what) }
    }

    private static func bytes(_ digits: String) -> [UInt8] {
        let nibbles = digits.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}
