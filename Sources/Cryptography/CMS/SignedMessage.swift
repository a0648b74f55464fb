import COpenSSL

/// CMS SignedData (RFC 5652 section 5): ECDSA with SHA-256 (RFC 5754), or RSASSA-PSS (RFC 4056).
public enum SignedMessage {
    /// Signs.
    ///
    /// - Parameters:
    ///   - content: what is signed.
    ///   - certificate: the signer's; it is put into the message.
    ///   - key: its private half.
    ///   - isDetached: leave the content out of the message.
    /// - Returns: DER.
    public static func sign(
        _ content: [UInt8], by certificate: Certificate, _ key: PrivateKey, isDetached: Bool
    ) throws -> [UInt8] {
        let refused = CryptographyError(.libraryFailure, "a CMS signature")
        let flags = UInt32(CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL | (isDetached ? CMS_DETACHED : 0))
        guard let message = CMS_sign(nil, nil, nil, nil, flags) else { throw refused }
        defer { CMS_ContentInfo_free(message) }
        let isRSA = certificate.keyKind == .rsa
        guard
            let signer = CMS_add1_signer(
                message, certificate.pointer, key.pointer, EVP_sha256(), flags | UInt32(isRSA ? CMS_KEY_PARAM : 0))
        else { throw refused }
        if isRSA {
            guard let context = CMS_SignerInfo_get0_pkey_ctx(signer),
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0,
                EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0
            else { throw refused }
        }
        let final = flags & ~UInt32(CMS_PARTIAL)
        try content.withUnsafeBytes { bytes in
            try MemoryStream.reading(bytes) { stream in
                guard CMS_final(message, stream, nil, final) == 1 else { throw refused }
            }
        }
        return try MemoryStream.writing { stream in
            guard i2d_CMS_bio(stream, message) == 1 else { throw refused }
        }
    }

    /// Brings a message that another program wrote into the form that ``verify(_:of:trusted:)`` takes.
    ///
    /// - Parameter bytes: DER or BER, PEM (`CMS` or `PKCS7`), or S/MIME as `openssl cms -sign` writes unless told
    ///   otherwise; may be hostile.
    /// - Returns: DER, and whether the content is left out of it.
    /// - Throws: ``CryptographyError`` with `malformed`.
    public static func normalize(_ bytes: [UInt8]) throws -> (der: [UInt8], isDetached: Bool) {
        defer { ERR_clear_error() }
        let readers: [(OpaquePointer) -> OpaquePointer?] = [
            { d2i_CMS_bio($0, nil) }, { PEM_read_bio_CMS($0, nil, nil, nil) },
            { stream in
                // The content that S/MIME carries beside the signature is of no interest: the caller has it.
                var content: OpaquePointer?
                defer { if let content { BIO_free(content) } }
                return SMIME_read_CMS(stream, &content)
            },
        ]
        for reader in readers {
            guard let parsed = try bytes.withUnsafeBytes({ try MemoryStream.reading($0, reader) }) else { continue }
            defer { CMS_ContentInfo_free(parsed) }
            guard OBJ_obj2nid(CMS_get0_type(parsed)) == NID_pkcs7_signed else { continue }
            let isDetached = CMS_is_detached(parsed) == 1
            return (try MemoryStream.writing { _ = i2d_CMS_bio($0, parsed) }, isDetached)
        }
        throw CryptographyError(.malformed, "this is no CMS signature: neither DER nor PEM nor S/MIME")
    }

    /// Verifies a message by exactly one signer, who is one of `trusted`.
    ///
    /// The signers are pinned: neither a chain nor a certificate's dates count, since what was signed has to be read
    /// for decades.
    ///
    /// - Parameters:
    ///   - message: DER; may be hostile.
    ///   - content: what a detached message signs, nil for one that has its content in it.
    ///   - trusted: the signers that count.
    /// - Returns: the content and who signed it.
    /// - Throws: ``CryptographyError`` with `malformed`, `unknownSigner` or `integrityCheckFailed`.
    public static func verify(
        _ message: [UInt8], of content: [UInt8]?, trusted: [Certificate]
    ) throws -> (content: [UInt8], signer: Certificate) {
        defer { ERR_clear_error() }
        guard let parsed = try message.withUnsafeBytes({ try MemoryStream.reading($0) { d2i_CMS_bio($0, nil) } }) else {
            throw CryptographyError(.malformed, "the signature is no CMS message")
        }
        defer { CMS_ContentInfo_free(parsed) }
        guard OBJ_obj2nid(CMS_get0_type(parsed)) == NID_pkcs7_signed,
            let signers = CMS_get0_SignerInfos(parsed), OPENSSL_sk_num(signers) == 1
        else { throw CryptographyError(.malformed, "the signature is not SignedData by one signer") }
        // Bytes after the message belong to nobody.
        let again = try MemoryStream.writing { _ = i2d_CMS_bio($0, parsed) }
        guard again == message else { throw CryptographyError(.malformed, "the signature is not in its one encoding") }
        let isDetached = CMS_is_detached(parsed) == 1
        guard isDetached == (content != nil) else {
            throw CryptographyError(.malformed, "the signature carries another content than expected")
        }
        for certificate in trusted {
            guard let stack = OPENSSL_sk_new_null() else { throw CryptographyError(.memory) }
            defer { OPENSSL_sk_free(stack) }
            OPENSSL_sk_push(stack, UnsafeRawPointer(certificate.pointer))
            guard CMS_set1_signers_certs(parsed, stack, UInt32(CMS_NOINTERN)) == 1 else { continue }
            let flags = UInt32(CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN)
            let output = try MemoryStream.writing { output in
                let accepted =
                    if let content {
                        try content.withUnsafeBytes { bytes in
                            try MemoryStream.reading(bytes) { CMS_verify(parsed, stack, nil, $0, output, flags) }
                        }
                    } else {
                        CMS_verify(parsed, stack, nil, nil, output, flags)
                    }
                guard accepted == 1 else {
                    throw CryptographyError(.integrityCheckFailed, "the signature does not fit what it signs")
                }
            }
            return (output, certificate)
        }
        throw CryptographyError(.unknownSigner, "signed by somebody who is not trusted here")
    }
}
