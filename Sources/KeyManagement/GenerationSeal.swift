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
        try RootSeal.seal(key, under: keys, authenticating: additional(group, number, identity))
    }

    static func open(
        _ sealed: [UInt8], under keys: RootKeys, group: Identity, number: UInt32, identity: Identity
    ) throws -> SecureBytes {
        guard sealed.count == length else {
            throw CryptographyError(.integrityCheckFailed, "sealed generation \(number)")
        }
        return try RootSeal.open(
            sealed, under: keys, authenticating: additional(group, number, identity),
            what: "sealed generation \(number)")
    }

    private static func additional(_ group: Identity, _ number: UInt32, _ identity: Identity) -> [UInt8] {
        Array("keyroll/1 generation".utf8) + group.bytes + withUnsafeBytes(of: number.bigEndian) { Array($0) }
            + identity.bytes
    }
}
