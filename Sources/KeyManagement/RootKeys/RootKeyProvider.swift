public import Cryptography

/// Where the key that seals a ring comes from.
///
/// A new kind is a file beside these and a line where kinds are listed.
public protocol RootKeyProvider: Sendable {
    /// A name for messages.
    var place: String { get }

    /// What has to be stored beside the ring so that the same key comes out again, CBOR; nothing of it is secret.
    func newParameters() throws -> [UInt8]

    /// The root key.
    ///
    /// - Parameter parameters: what ``newParameters()`` gave when the ring was sealed.
    /// - Returns: 32 bytes.
    /// - Throws: ``KeyManagementError`` with `rootKeyUnavailable` or `rootKeyMalformed`, or a `FileError`.
    func rootKey(_ parameters: [UInt8]) throws -> SecureBytes
}
