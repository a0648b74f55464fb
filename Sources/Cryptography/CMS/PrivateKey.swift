import COpenSSL

/// The private half of a certificate's key.
public final class PrivateKey: @unchecked Sendable {
    // @unchecked: the pointer never changes, and OpenSSL locks what it keeps inside a key.

    let pointer: OpaquePointer

    private init(taking pointer: OpaquePointer) { self.pointer = pointer }

    /// Asks for the passphrase of an encrypted PEM file.
    public typealias Ask = () throws -> SecureBytes

    /// A new key on the curve P-256.
    public static func generate() throws -> PrivateKey {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else {
            throw CryptographyError(.libraryFailure, "EC")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            EVP_PKEY_generate(context, &made) == 1, let made
        else { throw CryptographyError(.libraryFailure, "a new P-256 key") }
        return PrivateKey(taking: made)
    }

    /// Reads a key, PEM (PKCS #8 or older) or DER (PKCS #8).
    ///
    /// - Parameters:
    ///   - bytes: the file; a PEM file may hold certificates as well.
    ///   - ask: asks for the passphrase of an encrypted file.
    /// - Throws: ``CryptographyError`` with `malformed`; what `ask` throws.
    public static func read(_ bytes: borrowing SecureBytes, ask: Ask? = nil) throws -> PrivateKey {
        let passphrase = PassphraseRequest(ask)
        let found = try bytes.withUnsafeBytes { input in
            try MemoryStream.reading(input) { stream in
                PEM_read_bio_PrivateKey(
                    stream, nil, PassphraseRequest.answer, Unmanaged.passUnretained(passphrase).toOpaque())
            } ?? MemoryStream.reading(input) { d2i_PrivateKey_bio($0, nil) }
        }
        ERR_clear_error()
        if let failure = passphrase.failure { throw failure }
        guard let found else {
            throw CryptographyError(
                .malformed,
                passphrase.wasAsked
                    ? "the private key does not open with this passphrase" : "this is no private key, PEM or DER")
        }
        let key = PrivateKey(taking: found)
        guard Certificate.KeyKind(found) != nil else {
            throw CryptographyError(
                .malformed, "the private key has to be RSA of 2048 bits or more, or P-256, P-384, P-521")
        }
        return key
    }

    /// PKCS #8, DER, in locked memory.
    public func der() throws -> SecureBytes {
        try MemoryStream.writingSecret { stream in
            guard i2d_PKCS8PrivateKey_bio(stream, pointer, nil, nil, 0, nil, nil) == 1 else {
                throw CryptographyError(.libraryFailure, "PKCS #8")
            }
        }
    }

    /// PKCS #8, PEM without a passphrase, in locked memory.
    public func pem() throws -> SecureBytes {
        try MemoryStream.writingSecret { stream in
            guard PEM_write_bio_PKCS8PrivateKey(stream, pointer, nil, nil, 0, nil, nil) == 1 else {
                throw CryptographyError(.libraryFailure, "PKCS #8")
            }
        }
    }

    /// Whether this is the private half of a certificate's key.
    public func belongs(to certificate: Certificate) -> Bool {
        defer { ERR_clear_error() }
        return X509_check_private_key(certificate.pointer, pointer) == 1
    }

    deinit { EVP_PKEY_free(pointer) }
}

/// Passes OpenSSL's question for a passphrase on.
private final class PassphraseRequest {
    private let ask: PrivateKey.Ask?
    var failure: (any Error)?
    var wasAsked = false

    init(_ ask: PrivateKey.Ask?) { self.ask = ask }

    static let answer: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
        {
            buffer, size, _, context in
            guard let buffer, let context else { return -1 }
            let request = Unmanaged<PassphraseRequest>.fromOpaque(context).takeUnretainedValue()
            request.wasAsked = true
            guard let ask = request.ask else {
                request.failure = CryptographyError(
                    .malformed, "the private key is encrypted, and no passphrase was given")
                return -1
            }
            do {
                let passphrase = try ask()
                guard passphrase.count <= Int(size) else { return -1 }
                passphrase.withUnsafeBytes {
                    UnsafeMutableRawPointer(buffer).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
                }
                return Int32(passphrase.count)
            } catch {
                request.failure = error
                return -1
            }
        }
}
