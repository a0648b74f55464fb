import COpenSSL

/// AES-256 over independent 16-byte blocks (FIPS 197), in one direction.
///
/// This is the building block of ``KeyWrapLanes`` and of nothing else: blocks that are encrypted like this
/// show which of them are equal. One object serves one thread; OpenSSL's context is kept, since making one
/// costs more than many blocks.
public final class BlockCipher {
    /// Which way the blocks go.
    public enum Direction: Sendable {
        /// From plain to encrypted blocks.
        case encrypt
        /// Back again.
        case decrypt
    }

    private let context: OpaquePointer

    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - direction: encryption or decryption.
    /// - Throws: ``CryptographyError`` with `wrongLength` or `libraryFailure`.
    public init(key: borrowing SecureBytes, _ direction: Direction) throws {
        guard key.count == 32 else { throw CryptographyError(.wrongLength, "a generation's key has 32 bytes") }
        guard let made = EVP_CIPHER_CTX_new() else { throw CryptographyError(.memory) }
        let encrypting: Int32 = direction == .encrypt ? 1 : 0
        let started = key.withUnsafeBytes {
            EVP_CipherInit_ex2(
                made, Algorithms.aes256ecb, $0.bindMemory(to: UInt8.self).baseAddress, nil, encrypting, nil)
        }
        guard started == 1, EVP_CIPHER_CTX_set_padding(made, 0) == 1 else {
            EVP_CIPHER_CTX_free(made)
            throw CryptographyError(.libraryFailure, "AES-256-ECB")
        }
        context = made
    }

    /// Transforms `blocks` blocks in place.
    ///
    /// - Returns: false when OpenSSL refuses; the memory must then not be used.
    @inline(__always)
    func apply(to memory: UnsafeMutableRawPointer, blocks: Int) -> Bool {
        var written: Int32 = 0
        let bytes = memory.assumingMemoryBound(to: UInt8.self)
        return EVP_CipherUpdate(context, bytes, &written, bytes, Int32(blocks * 16)) == 1
    }

    deinit { EVP_CIPHER_CTX_free(context) }
}

/// OpenSSL's algorithms, fetched once: a fetch takes a lock and a search each time.
enum Algorithms {
    nonisolated(unsafe) static let aes256ecb = EVP_CIPHER_fetch(nil, "AES-256-ECB", nil)
    nonisolated(unsafe) static let aes256gcm = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
    nonisolated(unsafe) static let aes256wrap = EVP_CIPHER_fetch(nil, "AES-256-WRAP", nil)
    nonisolated(unsafe) static let sha256 = EVP_MD_fetch(nil, "SHA256", nil)
    nonisolated(unsafe) static let hmac = EVP_MAC_fetch(nil, "HMAC", nil)
    nonisolated(unsafe) static let hkdf = EVP_KDF_fetch(nil, "HKDF", nil)
    nonisolated(unsafe) static let scrypt = EVP_KDF_fetch(nil, "SCRYPT", nil)
    // nonisolated(unsafe): OpenSSL's fetched algorithms are read-only and counted atomically.
}
