import COpenSSL

/// Random bytes from OpenSSL's generators (NIST SP 800-90A CTR-DRBG, seeded by the kernel).
public enum Random {
    /// Fills memory that becomes a key: from the generator that is kept for secrets.
    ///
    /// - Throws: ``CryptographyError`` with `randomUnavailable`; the memory must then not be used.
    public static func fillWithKeyBytes(_ memory: UnsafeMutableRawBufferPointer) throws {
        guard memory.count > 0 else { return }
        guard RAND_priv_bytes_ex(nil, memory.baseAddress, memory.count, 256) == 1 else {
            throw CryptographyError(.randomUnavailable)
        }
    }

    /// Fills memory that everybody may see: nonces, identities, salts.
    ///
    /// - Throws: ``CryptographyError`` with `randomUnavailable`.
    public static func fillWithPublicBytes(_ memory: UnsafeMutableRawBufferPointer) throws {
        guard memory.count > 0 else { return }
        guard RAND_bytes_ex(nil, memory.baseAddress, memory.count, 256) == 1 else {
            throw CryptographyError(.randomUnavailable)
        }
    }

    /// A new 256-bit key in locked memory.
    public static func key() throws -> SecureBytes {
        try SecureBytes(count: 32) { try fillWithKeyBytes($0) }
    }

    /// Bytes that everybody may see.
    ///
    /// - Parameter count: how many bytes.
    public static func publicBytes(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try fillWithPublicBytes($0) }
        return bytes
    }
}
