import COpenSSL

/// AES-256-GCM with a new key for each message (NIST SP 800-38D; RFC 9053 section 4.1).
///
/// OpenSSL's context and algorithm are kept from message to message, which nearly halves the cost of a short
/// one. One object serves one thread. Nothing is allocated or thrown for a message.
public final class ContentCipher {
    /// The nonce's length: 12 bytes.
    public static let nonceLength = 12
    /// The tag's length: 16 bytes, at the end of the ciphertext.
    public static let tagLength = 16

    private let sealing: OpaquePointer
    private let opening: OpaquePointer

    /// - Throws: ``CryptographyError`` with `libraryFailure`.
    public init() throws {
        guard let first = EVP_CIPHER_CTX_new() else { throw CryptographyError(.memory) }
        guard let second = EVP_CIPHER_CTX_new() else {
            EVP_CIPHER_CTX_free(first)
            throw CryptographyError(.memory)
        }
        guard EVP_EncryptInit_ex2(first, Algorithms.aes256gcm, nil, nil, nil) == 1,
            EVP_DecryptInit_ex2(second, Algorithms.aes256gcm, nil, nil, nil) == 1
        else {
            EVP_CIPHER_CTX_free(first)
            EVP_CIPHER_CTX_free(second)
            throw CryptographyError(.libraryFailure, "AES-256-GCM")
        }
        sealing = first
        opening = second
    }

    /// Encrypts and authenticates.
    ///
    /// - Parameters:
    ///   - plaintext: up to 64 MiB.
    ///   - key: 32 bytes, used for this message only.
    ///   - nonce: 12 bytes.
    ///   - authenticating: additional data that is not encrypted.
    ///   - output: room for the plaintext's length and 16 bytes of tag.
    /// - Returns: false when OpenSSL refuses; the output must then not be used.
    public func seal(
        _ plaintext: UnsafeRawBufferPointer, key: UnsafeRawPointer, nonce: UnsafeRawPointer,
        authenticating: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer
    ) -> Bool {
        var written: Int32 = 0
        var ignored: Int32 = 0
        let target = output.assumingMemoryBound(to: UInt8.self)
        guard
            EVP_EncryptInit_ex2(
                sealing, nil, key.assumingMemoryBound(to: UInt8.self), nonce.assumingMemoryBound(to: UInt8.self), nil)
                == 1,
            feed(sealing, authenticating)
        else { return false }
        if plaintext.count > 0 {
            guard
                EVP_EncryptUpdate(
                    sealing, target, &written, plaintext.bindMemory(to: UInt8.self).baseAddress,
                    Int32(plaintext.count)) == 1
            else { return false }
        }
        return EVP_EncryptFinal_ex(sealing, target + Int(written), &ignored) == 1
            && EVP_CIPHER_CTX_ctrl(
                sealing, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), output + plaintext.count) == 1
    }

    /// Decrypts and checks.
    ///
    /// The output is wiped when the tag is wrong: no byte is given out before the verdict.
    ///
    /// - Parameters:
    ///   - ciphertext: 16 bytes of tag at its end.
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes.
    ///   - authenticating: the additional data given when it was sealed.
    ///   - output: room for the ciphertext's length less 16.
    /// - Returns: whether key, nonce, additional data and ciphertext belong together.
    public func open(
        _ ciphertext: UnsafeRawBufferPointer, key: UnsafeRawPointer, nonce: UnsafeRawPointer,
        authenticating: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer
    ) -> Bool {
        let length = ciphertext.count - Self.tagLength
        guard length >= 0, let source = ciphertext.baseAddress else { return false }
        let target = output.assumingMemoryBound(to: UInt8.self)
        var written: Int32 = 0
        var ignored: Int32 = 0
        guard
            EVP_DecryptInit_ex2(
                opening, nil, key.assumingMemoryBound(to: UInt8.self), nonce.assumingMemoryBound(to: UInt8.self), nil)
                == 1,
            feed(opening, authenticating)
        else { return false }
        var accepted = true
        if length > 0 {
            accepted =
                EVP_DecryptUpdate(
                    opening, target, &written, source.assumingMemoryBound(to: UInt8.self), Int32(length)) == 1
        }
        accepted =
            accepted
            && EVP_CIPHER_CTX_ctrl(
                opening, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength),
                UnsafeMutableRawPointer(mutating: source + length))
                == 1
            && EVP_DecryptFinal_ex(opening, target + Int(written), &ignored) == 1
        if !accepted {
            wipe(UnsafeMutableRawBufferPointer(start: output, count: length))
            ERR_clear_error()
        }
        return accepted
    }

    private func feed(_ context: OpaquePointer, _ data: UnsafeRawBufferPointer) -> Bool {
        guard data.count > 0 else { return true }
        var ignored: Int32 = 0
        return EVP_CipherUpdate(
            context, nil, &ignored, data.bindMemory(to: UInt8.self).baseAddress, Int32(data.count)) == 1
    }

    deinit {
        EVP_CIPHER_CTX_free(sealing)
        EVP_CIPHER_CTX_free(opening)
    }
}
