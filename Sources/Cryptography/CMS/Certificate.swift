import COpenSSL

/// An X.509 certificate (RFC 5280): a public key with a name.
public final class Certificate: @unchecked Sendable {
    // @unchecked: the pointer never changes, and OpenSSL's certificates may be read by several threads.

    let pointer: OpaquePointer
    /// The certificate as DER.
    public let der: [UInt8]

    init(taking pointer: OpaquePointer) throws {
        self.pointer = pointer
        der = try MemoryStream.writing { stream in
            guard i2d_X509_bio(stream, pointer) == 1 else {
                throw CryptographyError(.libraryFailure, "a certificate's encoding")
            }
        }
    }

    /// Reads a certificate, PEM or DER; of several in a PEM file the first.
    ///
    /// - Throws: ``CryptographyError`` with `malformed`.
    public convenience init(_ bytes: [UInt8]) throws {
        try self.init(taking: bytes.withUnsafeBytes { try Self.read($0) })
    }

    /// The same for bytes that lie elsewhere.
    public convenience init(reading bytes: UnsafeRawBufferPointer) throws { try self.init(taking: Self.read(bytes)) }

    /// Every certificate of a PEM file.
    public static func all(inPEM bytes: UnsafeRawBufferPointer) throws -> [Certificate] {
        defer { ERR_clear_error() }
        return try MemoryStream.reading(bytes) { stream in
            var found: [Certificate] = []
            while let next = PEM_read_bio_X509(stream, nil, nil, nil) { found.append(try Certificate(taking: next)) }
            return found
        }
    }

    private static func read(_ input: UnsafeRawBufferPointer) throws -> OpaquePointer {
        let found =
            try MemoryStream.reading(input) { PEM_read_bio_X509($0, nil, nil, nil) }
            ?? MemoryStream.reading(input) { d2i_X509_bio($0, nil) }
        ERR_clear_error()
        guard let found else { throw CryptographyError(.malformed, "this is no X.509 certificate, PEM or DER") }
        return found
    }

    /// The certificate as PEM (RFC 7468).
    public func pem() throws -> [UInt8] {
        try MemoryStream.writing { stream in
            guard PEM_write_bio_X509(stream, pointer) == 1 else { throw CryptographyError(.libraryFailure, "PEM") }
        }
    }

    /// SHA-256 over the DER, 32 bytes: what `openssl x509 -fingerprint -sha256` shows.
    public func fingerprint() throws -> [UInt8] { try der.withUnsafeBytes { try sha256($0) } }

    /// SHA-256 over the public key (SubjectPublicKeyInfo, RFC 5280 section 4.1), 32 bytes: the same for every certificate
    /// of one key.
    public func publicKeyFingerprint() throws -> [UInt8] {
        let der = try MemoryStream.writing { stream in
            guard let key = X509_get0_pubkey(pointer), i2d_PUBKEY_bio(stream, key) == 1 else {
                throw CryptographyError(.libraryFailure, "a public key's encoding")
            }
        }
        return try der.withUnsafeBytes { try sha256($0) }
    }

    /// The subject, as RFC 2253 writes it.
    public var subject: String {
        let bytes = try? MemoryStream.writing { stream in
            _ = X509_NAME_print_ex(stream, X509_get_subject_name(pointer), 0, keyroll_rfc2253)
        }
        return String(decoding: bytes ?? [], as: UTF8.self)
    }

    /// Whether a moment lies between the certificate's dates.
    ///
    /// - Parameter moment: seconds since 1970-01-01 00:00 UTC.
    public func isValid(at moment: Int64) -> Bool {
        var time = time_t(moment)
        return X509_cmp_time(X509_get0_notBefore(pointer), &time) < 0
            && X509_cmp_time(X509_get0_notAfter(pointer), &time) > 0
    }

    /// What its key can do here.
    public enum KeyKind: String, Sendable {
        /// RSA, 2,048 bits or more.
        case rsa = "RSA"
        /// An elliptic curve: P-256, P-384 or P-521.
        case ellipticCurve = "EC"
    }

    /// The key's kind, or nil where CMS as keyroll uses it cannot do with it (Ed25519, X25519, short RSA).
    public var keyKind: KeyKind? { X509_get0_pubkey(pointer).flatMap { KeyKind($0) } }

    deinit { X509_free(pointer) }
}

extension Certificate.KeyKind {
    init?(_ key: OpaquePointer) {
        switch EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA where EVP_PKEY_get_bits(key) >= 2048: self = .rsa
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 64)
            var length = 0
            guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1,
                ["prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521"].contains(
                    String(decoding: name[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self))
            else { return nil }
            self = .ellipticCurve
        default: return nil
        }
    }
}

extension Certificate: Equatable {
    /// Two are equal when their bytes are.
    public static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }
}
