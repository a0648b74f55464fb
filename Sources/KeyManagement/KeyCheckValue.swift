public import Cryptography

/// What tells two generations' keys apart without telling anything else of them.
public enum KeyCheckValue {
    /// The first 8 bytes of a key that is derived from the generation's key (HKDF-SHA-256, RFC 5869).
    public static func of(_ key: borrowing SecureBytes) throws -> [UInt8] {
        try KeyDerivation.key(from: key, label: "keyroll/1 key check value").withUnsafeBytes { Array($0[..<8]) }
    }
}
