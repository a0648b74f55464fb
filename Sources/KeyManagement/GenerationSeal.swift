import Cryptography

/// A generation's key under the root key: AES-256-GCM, with the group's identity, the number and the
/// generation's identity authenticated, so that no sealed key can stand in for another.
///
/// 60 bytes: nonce (12), ciphertext (32), tag (16).
enum GenerationSeal {
    private static let length = ContentCipher.nonceLength + 32 + ContentCipher.tagLength

    static func seal(
        _ key: borrowing SecureBytes, under keys: RootKeys, group: Identity, number: UInt32, identity: Identity
    ) throws -> [UInt8] {
        var sealed = try Random.publicBytes(ContentCipher.nonceLength) + [UInt8](repeating: 0, count: 48)
        let cipher = try ContentCipher()
        let data = additional(group, number, identity)
        let done = sealed.withUnsafeMutableBytes { output in
            key.withUnsafeBytes { plaintext in
                keys.sealing.withUnsafeBytes { sealing in
                    data.withUnsafeBytes {
                        cipher.seal(
                            plaintext, key: sealing.baseAddress!, nonce: output.baseAddress!, authenticating: $0,
                            into: output.baseAddress! + ContentCipher.nonceLength)
                    }
                }
            }
        }
        guard done else { throw CryptographyError(.libraryFailure, "AES-256-GCM") }
        return sealed
    }

    static func open(
        _ sealed: [UInt8], under keys: RootKeys, group: Identity, number: UInt32, identity: Identity
    ) throws -> SecureBytes {
        guard sealed.count == length else {
            throw CryptographyError(.integrityCheckFailed, "sealed generation \(number)")
        }
        let cipher = try ContentCipher()
        let data = additional(group, number, identity)
        return try SecureBytes(count: 32) { output in
            let done = sealed.withUnsafeBytes { input in
                keys.sealing.withUnsafeBytes { sealing in
                    data.withUnsafeBytes {
                        cipher.open(
                            UnsafeRawBufferPointer(rebasing: input[ContentCipher.nonceLength...]),
                            key: sealing.baseAddress!, nonce: input.baseAddress!, authenticating: $0,
                            into: output.baseAddress!)
                    }
                }
            }
            guard done else { throw CryptographyError(.integrityCheckFailed, "sealed generation \(number)") }
        }
    }

    /// The first 8 bytes of a key derived from the generation's key.
    static func checkValue(_ key: borrowing SecureBytes) throws -> [UInt8] {
        try KeyDerivation.key(from: key, label: "keyroll/1 key check value").withUnsafeBytes { Array($0[..<8]) }
    }

    private static func additional(_ group: Identity, _ number: UInt32, _ identity: Identity) -> [UInt8] {
        Array("keyroll/1 generation".utf8) + group.bytes + withUnsafeBytes(of: number.bigEndian) { Array($0) }
            + identity.bytes
    }
}
