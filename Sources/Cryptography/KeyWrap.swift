import COpenSSL

/// AES-256 key wrap of one key (RFC 3394, NIST SP 800-38F "KW") through OpenSSL's own mode.
///
/// For one key at a time. A batch goes through ``KeyWrapLanes``, which gives the same bytes.
public enum KeyWrap {
    /// A data key's length: 32 bytes.
    public static let keyLength = 32
    /// A wrapped data key's length: 40 bytes, 8 of them the integrity check.
    public static let wrappedLength = 40

    /// Wraps a key.
    ///
    /// - Parameters:
    ///   - key: the key to hide, a multiple of 8 bytes, 16 or more.
    ///   - wrappingKey: the key-encryption key, 32 bytes.
    /// - Returns: 8 bytes more than `key` has.
    /// - Throws: ``CryptographyError`` with `wrongLength` or `libraryFailure`.
    public static func wrap(_ key: UnsafeRawBufferPointer, under wrappingKey: borrowing SecureBytes) throws -> [UInt8] {
        guard key.count >= 16, key.count % 8 == 0 else { throw CryptographyError(.wrongLength, "key to wrap") }
        let context = try Context(wrappingKey, encrypting: 1)
        var output = [UInt8](repeating: 0, count: key.count + 8)
        var written: Int32 = 0
        let input = key.bindMemory(to: UInt8.self)
        guard EVP_CipherUpdate(context.pointer, &output, &written, input.baseAddress, Int32(key.count)) == 1,
            Int(written) == output.count
        else { throw CryptographyError(.libraryFailure, "AES-256-WRAP") }
        return output
    }

    /// Unwraps a key and checks it.
    ///
    /// - Parameters:
    ///   - wrapped: a multiple of 8 bytes, 24 or more.
    ///   - wrappingKey: the key-encryption key, 32 bytes.
    /// - Returns: the key, 8 bytes shorter than `wrapped`.
    /// - Throws: ``CryptographyError`` with `integrityCheckFailed` for a wrong key or altered bytes,
    ///   `wrongLength`, or `libraryFailure`.
    public static func unwrap(
        _ wrapped: UnsafeRawBufferPointer, under wrappingKey: borrowing SecureBytes
    ) throws -> SecureBytes {
        guard wrapped.count >= 24, wrapped.count % 8 == 0 else {
            throw CryptographyError(.wrongLength, "wrapped key")
        }
        let context = try Context(wrappingKey, encrypting: 0)
        // OpenSSL writes up to the input's length before it checks.
        var room = try SecureBytes(count: wrapped.count)
        var written: Int32 = 0
        let opened = room.withUnsafeMutableBytes { output in
            EVP_CipherUpdate(
                context.pointer, output.bindMemory(to: UInt8.self).baseAddress, &written,
                wrapped.bindMemory(to: UInt8.self).baseAddress, Int32(wrapped.count)) == 1
        }
        guard opened, Int(written) == wrapped.count - 8 else {
            ERR_clear_error()
            throw CryptographyError(.integrityCheckFailed, "wrapped key")
        }
        return try room.withUnsafeBytes {
            try SecureBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<Int(written)]))
        }
    }

    /// One use of OpenSSL's wrap mode; its context is wiped with it.
    private final class Context {
        let pointer: OpaquePointer

        init(_ key: borrowing SecureBytes, encrypting: Int32) throws {
            guard key.count == 32 else { throw CryptographyError(.wrongLength, "a generation's key has 32 bytes") }
            guard let made = EVP_CIPHER_CTX_new() else { throw CryptographyError(.memory) }
            EVP_CIPHER_CTX_set_flags(made, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW)
            let started = key.withUnsafeBytes {
                EVP_CipherInit_ex2(
                    made, Algorithms.aes256wrap, $0.bindMemory(to: UInt8.self).baseAddress, nil, encrypting, nil)
            }
            guard started == 1 else {
                EVP_CIPHER_CTX_free(made)
                throw CryptographyError(.libraryFailure, "AES-256-WRAP")
            }
            pointer = made
        }

        deinit { EVP_CIPHER_CTX_free(pointer) }
    }
}
