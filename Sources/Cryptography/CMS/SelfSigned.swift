import COpenSSL

extension Certificate {
    /// What a self-signed certificate's key is for (RFC 5280, section 4.2.1.3).
    public enum Usage: String, Sendable {
        /// Signatures.
        case signing = "critical,digitalSignature"
        /// Receiving what is encrypted to it.
        case recovery = "critical,keyAgreement"
    }

    /// A certificate that a key signs for itself: who trusts it pins its bytes.
    ///
    /// - Parameters:
    ///   - key: a P-256 key.
    ///   - name: the common name, 1 to 64 characters.
    ///   - usage: what the key is for.
    ///   - start: when it begins to hold, in seconds since 1970.
    ///   - years: how long it holds.
    public static func selfSigned(
        _ key: PrivateKey, name: String, usage: Usage, from start: Int64, years: Int64
    ) throws -> Certificate {
        let refused = CryptographyError(.libraryFailure, "a self-signed certificate")
        guard let made = X509_new() else { throw CryptographyError(.memory) }
        do {
            var serial = try Random.publicBytes(16)
            serial[0] = serial[0] & 0x7F | 0x40
            let subject = X509_get_subject_name(made)
            var first = Int(start)
            guard let number = BN_bin2bn(serial, Int32(serial.count), nil) else { throw CryptographyError(.memory) }
            defer { BN_free(number) }
            let text = String(name.prefix(64))
            guard X509_set_version(made, 2) == 1, BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made)) != nil,
                X509_NAME_add_entry_by_txt(subject, "CN", keyroll_utf8, text, -1, -1, 0) == 1,
                X509_set_issuer_name(made, subject) == 1,
                X509_time_adj_ex(X509_getm_notBefore(made), 0, 0, &first) != nil,
                X509_time_adj_ex(X509_getm_notAfter(made), Int32(years * 365), 0, &first) != nil,
                X509_set_pubkey(made, key.pointer) == 1
            else { throw refused }
            for (identifier, value) in [(NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, usage.rawValue)] {
                guard let part = X509V3_EXT_conf_nid(nil, nil, identifier, value) else { throw refused }
                defer { X509_EXTENSION_free(part) }
                guard X509_add_ext(made, part, -1) == 1 else { throw refused }
            }
            guard X509_sign(made, key.pointer, EVP_sha256()) > 0 else { throw refused }
            return try Certificate(taking: made)
        } catch {
            X509_free(made)
            throw error
        }
    }
}
