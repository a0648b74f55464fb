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
        if !runs.isEmpty { facts["runs"] = .list(runs) }
        if !endedIn.isEmpty { facts["ended"] = .list(endedIn) }
        if !unreachable.isEmpty { facts["unreachable"] = .list(unreachable) }
        // A run that takes up another's work keeps that one's name.
        if self.job != job { facts["resumed"] = .text(self.job) }
        return facts
    }

    /// Puts into the evidence what the run did; what is cut off before that the next run puts there (``UnreportedRuns``).
    mutating func record(in home: Home, as job: String) throws {
        try EvidenceChain(path: home.layout.evidence).append("run", job: job, evidence(of: job))
        recordedAs = job
    }

    /// Notes in the ring where the evidence stands; broken evidence needs somebody and stops no job.
    mutating func noteEvidence(of home: Home) throws {
        do { try home.noteEvidence() } catch let error as EvidenceChain.Broken {
            needsAttention = true
            notes.append("\(error); once that is looked into: keyroll report --begin-anew REASON")
        }
    }
}
