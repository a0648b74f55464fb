public import Evidence
public import Home
import KeyManagement

/// A home's evidence, and where the ring says that it stood.
extension Home {
    /// Notes in the ring where the evidence stands: what is cut off or written anew below that is noticed from then on.
    ///
    /// - Parameter beginsAnew: note it although what was noted before is gone, as an operator who looked into it says.
    /// - Throws: `EvidenceChain.Broken` where what the ring noted before is not there any more; that stays so.
    public func noteEvidence(beginsAnew: Bool = false) throws {
        let chain = EvidenceChain(path: layout.evidence)
        if !beginsAnew { _ = try evidence() }
        let (count, head) = try chain.head()
        let anchor = EvidenceAnchor(count: count, head: head)
        guard keeper.keyring.ring.evidence != anchor else { return }
        // Another job may have noted more meanwhile.
        try keeper.update { if beginsAnew || anchor.count >= $0.evidence.count { $0.note(anchor) } }
    }

    /// Whether this home may take keys away. Where several hosts share a ring, only the one that keeps its evidence knows
    /// all of the group's stores.
    public var mayRetire: Bool {
        if case .sqlite = configuration.repository { return true }
        return (try? evidence()) != nil
    }

    /// All records, checked from the beginning and against the ring.
    ///
    /// - Throws: `EvidenceChain.Broken`, `FileError`.
    public func evidence() throws -> (records: [EvidenceRecord], head: String) {
        let anchor = keeper.keyring.ring.evidence
        return try EvidenceChain(path: layout.evidence).read(anchoredAt: anchor.count, head: anchor.head)
    }
}
