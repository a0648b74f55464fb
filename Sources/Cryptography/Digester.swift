import COpenSSL

/// SHA-256 (FIPS 180-4) of many small pieces: one context, used again and again, and no memory for each.
///
/// One object serves one thread.
public final class Digester {
    /// A digest's length: 32 bytes.
    public static let length = 32
    private let context: OpaquePointer

    /// - Throws: ``CryptographyError`` with `memory`.
    public init() throws {
        guard let made = EVP_MD_CTX_new() else { throw CryptographyError(.memory) }
        context = made
    }

    /// Digests `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: any number of them.
    ///   - output: room for 32 bytes.
    public func digest(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutablePointer<UInt8>) throws {
        var length: UInt32 = 0
        guard EVP_DigestInit_ex2(context, Algorithms.sha256, nil) == 1,
            EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1,
            EVP_DigestFinal_ex(context, output, &length) == 1, length == UInt32(Self.length)
        else { throw CryptographyError(.libraryFailure, "SHA-256") }
    }

    deinit { EVP_MD_CTX_free(context) }
}
