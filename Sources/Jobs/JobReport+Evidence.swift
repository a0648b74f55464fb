import Custody
import Evidence
import Home
import Rotation
import SecretStores

extension JobReport {
    /// What the evidence keeps of a run: its outcomes, not its secrets.
    func evidence(of job: String) -> [String: EvidenceValue] {
        var failed = Dictionary(
            uniqueKeysWithValues: FailureReason.allCases.map { ($0.rawValue, Int64(tally.failed[$0])) })
        failed["total"] = Int64(tally.failed.total)
        var facts: [String: EvidenceValue] = [
            "kind": .text(kind), "scanned": .number(Int64(tally.scanned)), "moved": .number(Int64(tally.moved)),
            "current": .number(Int64(tally.current)), "superseded": .number(Int64(tally.superseded)),
            "failed": .counts(failed), "interrupted": .flag(wasInterrupted),
            "failedSecrets": .list(faults.map(\.name)),
        ]
        if !unreachable.isEmpty { facts["unreachable"] = .list(unreachable) }
        // A run that takes up another's work keeps that one's name.
        if self.job != job { facts["resumed"] = .text(self.job) }
        return facts
    }

    /// Notes in the ring where the evidence stands; broken evidence needs somebody and stops no job.
    mutating func noteEvidence(of home: Home) throws {
        do { try home.noteEvidence() } catch let error as EvidenceChain.Broken {
            needsAttention = true
            notes.append("\(error); once that is looked into: keyroll report --begin-anew REASON")
        }
    }
}
