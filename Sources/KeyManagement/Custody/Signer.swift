/// Who signs this group's bundles and reports; the private key is sealed like a generation.
public struct Signer: Sendable, Equatable {
    /// The certificate, DER.
    public var certificate: [UInt8]
    /// The private key (PKCS #8) under the root key: nonce, ciphertext, tag.
    public internal(set) var sealedKey: [UInt8]
}
