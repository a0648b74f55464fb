/// The policy of who may reach the keys, as an owner signed it. What it says is for the layer above to read.
public struct StoredAccess: Sendable, Equatable {
    /// Counts the policies of a group.
    public var revision: UInt64
    /// The text that was signed.
    public var document: [UInt8]
    /// CMS SignedData over it, DER.
    public var signature: [UInt8]
    /// The owner's certificate, DER.
    public var signer: [UInt8]

    /// - Parameters:
    ///   - revision: 1 or more.
    ///   - document: the text.
    ///   - signature: over it, DER.
    ///   - signer: the owner's certificate, DER.
    public init(revision: UInt64, document: [UInt8], signature: [UInt8], signer: [UInt8]) {
        self.revision = revision
        self.document = document
        self.signature = signature
        self.signer = signer
    }
}

extension Ring {
    /// Takes a policy over.
    ///
    /// - Throws: ``KeyManagementError`` with `transitionRefused` where it is not newer than the present one.
    public mutating func adopt(_ access: StoredAccess) throws {
        let present = self.access?.revision ?? 0
        guard access.revision > present else {
            throw KeyManagementError(
                .transitionRefused,
                "the policy has revision \(access.revision), and revision \(present) is in force; a new one needs a higher number"
            )
        }
        self.access = access
    }
}
