public import Evidence
public import Home
import KeyManagement

/// A home's evidence, and where the ring says that it stood.
extension Home {
    /// Notes in the ring where the evidence stands: what is cut off or written anew below that is noticed from then on.
    public func noteEvidence() throws {
        let (count, head) = try EvidenceChain(path: layout.evidence).head()
        let anchor = EvidenceAnchor(count: count, head: head)
        guard keeper.keyring.ring.evidence != anchor else { return }
        try keeper.update { $0.note(anchor) }
    }

    /// All records, checked from the beginning and against the ring.
    ///
    /// - Throws: `EvidenceChain.Broken`, `FileError`.
    public func evidence() throws -> (records: [EvidenceRecord], head: String) {
        let anchor = keeper.keyring.ring.evidence
        return try EvidenceChain(path: layout.evidence).read(anchoredAt: anchor.count, head: anchor.head)
    }
}
