import COpenSSL

/// CMS AuthEnvelopedData (RFC 5083, RFC 5084): AES-256-GCM under a random key, and that key for each recipient.
public enum RecipientEnvelope {
    /// Who can open it.
    public enum Recipient {
        /// The holder of a certificate's private key: RSAES-OAEP with SHA-256 (RFC 3560), or ephemeral-static ECDH with
        /// the SHA-256 KDF and AES-256 key wrap (RFC 5753).
        case certificate(Certificate)
        /// The holder of a symmetric key of 32 bytes: AES-256 key wrap (RFC 3565).
        case symmetricKey(SharedKey, identifier: [UInt8])
    }

    /// A symmetric key that several hold.
    public final class SharedKey: Sendable {
        /// 32 bytes.
        public let bytes: SecureBytes

        /// - Parameter bytes: 32 bytes.
        public init(_ bytes: consuming SecureBytes) { self.bytes = bytes }
    }

    /// How one opens it.
    public enum Opener {
        /// With a private key; the certificate, where known, picks the recipient.
        case privateKey(PrivateKey, Certificate?)
        /// With a symmetric key.
        case symmetricKey(SharedKey, identifier: [UInt8])
    }

    /// Encrypts for recipients, one or more.
    ///
    /// - Returns: DER.
    public static func seal(_ plaintext: borrowing SecureBytes, to recipients: [Recipient]) throws -> [UInt8] {
        let refused = CryptographyError(.libraryFailure, "a CMS envelope")
        let flags = UInt32(CMS_BINARY | CMS_PARTIAL)
        guard !recipients.isEmpty, let message = CMS_encrypt(nil, nil, EVP_aes_256_gcm(), flags) else { throw refused }
        defer { CMS_ContentInfo_free(message) }
        for recipient in recipients {
            switch recipient {
            case .certificate(let certificate): try add(certificate, to: message)
            case .symmetricKey(let key, let identifier): try add(key, identifier, to: message)
            }
        }
        try plaintext.withUnsafeBytes { bytes in
            try MemoryStream.reading(bytes) { stream in
                guard CMS_final(message, stream, nil, UInt32(CMS_BINARY)) == 1 else { throw refused }
            }
        }
        return try MemoryStream.writing { stream in
            guard i2d_CMS_bio(stream, message) == 1 else { throw refused }
        }
    }

    /// Opens it; the plaintext comes in locked memory.
    ///
    /// - Throws: ``CryptographyError`` with `malformed`, `notARecipient` or `integrityCheckFailed`.
    public static func open(_ message: [UInt8], with opener: Opener) throws -> SecureBytes {
        defer { ERR_clear_error() }
        guard let parsed = try message.withUnsafeBytes({ try MemoryStream.reading($0) { d2i_CMS_bio($0, nil) } }) else {
            throw CryptographyError(.malformed, "this is no CMS message")
        }
        defer { CMS_ContentInfo_free(parsed) }
        guard OBJ_obj2nid(CMS_get0_type(parsed)) == NID_id_smime_ct_authEnvelopedData else {
            throw CryptographyError(.malformed, "this is no CMS AuthEnvelopedData")
        }
        let again = try MemoryStream.writing { _ = i2d_CMS_bio($0, parsed) }
        guard again == message else { throw CryptographyError(.malformed, "the envelope is not in its one encoding") }
        let accepted: Int32
        switch opener {
        case .privateKey(let key, let certificate):
            accepted = CMS_decrypt_set1_pkey(parsed, key.pointer, certificate?.pointer)
        case .symmetricKey(let key, let identifier):
            accepted = key.bytes.withUnsafeBytes { bytes in
                CMS_decrypt_set1_key(
                    parsed, UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress), bytes.count,
                    identifier, identifier.count)
            }
        }
        guard accepted == 1 else {
            throw CryptographyError(.notARecipient, "it was not encrypted to this key")
        }
        return try MemoryStream.writingSecret { output in
            guard CMS_decrypt(parsed, nil, nil, nil, output, UInt32(CMS_BINARY)) == 1 else {
                throw CryptographyError(.integrityCheckFailed, "the envelope does not open: altered, or another key's")
            }
        }
    }

    private static func add(_ certificate: Certificate, to message: OpaquePointer) throws {
        let refused = CryptographyError(.libraryFailure, "a recipient of a CMS envelope")
        guard let kind = certificate.keyKind,
            let recipient = CMS_add1_recipient(message, certificate.pointer, nil, nil, UInt32(CMS_KEY_PARAM)),
            let context = CMS_RecipientInfo_get0_pkey_ctx(recipient)
        else { throw refused }
        switch kind {
        case .rsa:
            guard EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0,
                EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) > 0,
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) > 0
            else { throw refused }
        case .ellipticCurve:
            // OpenSSL would take SHA-1; AES-256 key wrap follows from the length of the key.
            guard EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) > 0 else { throw refused }
        }
    }

    private static func add(_ key: SharedKey, _ identifier: [UInt8], to message: OpaquePointer) throws {
        // OpenSSL takes both buffers over and wipes the key's.
        guard key.bytes.count == 32, let copy = CRYPTO_malloc(32, nil, 0),
            let name = CRYPTO_malloc(max(1, identifier.count), nil, 0)
        else { throw CryptographyError(.memory) }
        key.bytes.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress!, byteCount: 32) }
        identifier.withUnsafeBytes { if let base = $0.baseAddress { name.copyMemory(from: base, byteCount: $0.count) } }
        guard
            CMS_add0_recipient_key(
                message, NID_id_aes256_wrap, copy.assumingMemoryBound(to: UInt8.self), 32,
                name.assumingMemoryBound(to: UInt8.self), identifier.count, nil, nil, nil) != nil
        else {
            CRYPTO_clear_free(copy, 32, nil, 0)
            CRYPTO_free(name, nil, 0)
            throw CryptographyError(.libraryFailure, "a recipient of a CMS envelope")
        }
    }
}
