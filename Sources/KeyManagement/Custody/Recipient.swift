public import Cryptography
public import Files

/// A recovery recipient: somebody whose key opens this group's bundles.
public struct Recipient: Sendable, Equatable {
    /// What kind of key it is.
    public enum Kind: Sendable, Equatable {
        /// An X.509 certificate, DER; the private key is kept elsewhere.
        case certificate([UInt8])
        /// A symmetric key of 32 bytes that the ring holds sealed, with the identifier that bundles name it by (16 bytes).
        /// It also resists quantum computers.
        case archiveKey(identifier: [UInt8], sealed: [UInt8])
    }

    /// What people call it, unique in the ring.
    public var name: String
    /// Its key.
    public var kind: Kind
    /// SHA-256 of the certificate, or the archive key's identifier.
    public var fingerprint: [UInt8]
    /// When it was added.
    public var added: Timestamp
    /// SHA-256 of the answer to the challenge that its holder was given last.
    public var challenge: [UInt8]?
    /// When its holder last decrypted a challenge.
    public var proven: Timestamp?

    /// - Parameters:
    ///   - name: what people call it.
    ///   - certificate: RSA or elliptic curve.
    ///   - moment: now.
    /// - Throws: `CryptographyError` with `malformed` for a key that CMS cannot use.
    public init(_ name: String, certificate: Certificate, at moment: Timestamp) throws {
        guard certificate.keyKind != nil else {
            throw CryptographyError(
                .malformed,
                "the certificate of '\(name)' has to be RSA of 2048 bits or more, or P-256, P-384, P-521")
        }
        self.init(
            name: name, kind: .certificate(certificate.der), fingerprint: try certificate.fingerprint(), added: moment,
            challenge: nil, proven: nil)
    }

    init(
        name: String, kind: Kind, fingerprint: [UInt8], added: Timestamp, challenge: [UInt8]?, proven: Timestamp?
    ) {
        self.name = name
        self.kind = kind
        self.fingerprint = fingerprint
        self.added = added
        self.challenge = challenge
        self.proven = proven
    }
}
