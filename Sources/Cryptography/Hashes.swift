import COpenSSL

/// SHA-256 (FIPS 180-4) of bytes that lie in memory.
public func sha256(_ bytes: UnsafeRawBufferPointer) throws -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, &length, Algorithms.sha256, nil) == 1, length == 32
    else { throw CryptographyError(.libraryFailure, "SHA-256") }
    return digest
}

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key.
///
/// One object serves one thread.
public final class Authenticator {
    /// The tag's length: 32 bytes.
    public static let tagLength = 32
    private let context: OpaquePointer

    /// - Parameter key: 32 bytes.
    /// - Throws: ``CryptographyError`` with `libraryFailure`.
    public init(key: borrowing SecureBytes) throws {
        guard let made = EVP_MAC_CTX_new(Algorithms.hmac) else { throw CryptographyError(.libraryFailure, "HMAC") }
        context = made
        let started = withDigestName { digest in
            key.withUnsafeBytes {
                EVP_MAC_init(
                    made, $0.bindMemory(to: UInt8.self).baseAddress, $0.count, [digest, OSSL_PARAM_construct_end()])
            }
        }
        guard started == 1 else { throw CryptographyError(.libraryFailure, "HMAC-SHA-256") }
    }

    /// The tag over `bytes`.
    ///
    /// - Returns: 32 bytes.
    public func tag(_ bytes: UnsafeRawBufferPointer) throws -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        var length = 0
        guard EVP_MAC_init(context, nil, 0, nil) == 1,
            EVP_MAC_update(context, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count) == 1,
            EVP_MAC_final(context, &tag, &length, tag.count) == 1, length == Self.tagLength
        else { throw CryptographyError(.libraryFailure, "HMAC-SHA-256") }
        return tag
    }

    /// Whether `tag` belongs to `bytes`; compared in constant time.
    public func accepts(_ tag: [UInt8], for bytes: UnsafeRawBufferPointer) throws -> Bool {
        let expected = try self.tag(bytes)
        return expected.withUnsafeBytes { left in tag.withUnsafeBytes { equalInConstantTime(left, $0) } }
    }

    deinit { EVP_MAC_CTX_free(context) }
}

/// The parameter that asks for SHA-256; OpenSSL keeps the pointer until the call ends.
func withDigestName<R>(_ body: (OSSL_PARAM) -> R) -> R {
    var name = Array("SHA256".utf8CString)
    return name.withUnsafeMutableBufferPointer {
        body(OSSL_PARAM_construct_utf8_string("digest", $0.baseAddress, 0))
    }
}
