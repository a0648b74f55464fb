import Audit
import Custody
import Evidence
import Files
import FoundationEssentials
import Home
import KeyManagement
import Protection
import Rotation
import SecretStores

/// Runs that were cut off when their work was done and not yet recorded: the next run that holds the lock records them.
///
/// What a run did stands in its journal, which the store's last transaction wrote and which is authentic. So the counts
/// in evidence and audit log are exact whatever was killed when.
struct UnreportedRuns {
    private let home: Home
    private let evidence: EvidenceChain

    /// - Parameter home: the home; the caller holds its run lock.
    init(_ home: Home) {
        self.home = home
        evidence = EvidenceChain(path: home.layout.evidence)
    }

    /// Records what is missing.
    ///
    /// - Returns: a line for each run.
    func record() throws -> [String] {
        // Altered evidence is said by whoever notes it in the ring; nothing is added to it on its word.
        guard let records = try? home.evidence().records else { return [] }
        var notes = try recordInEvidence(records)
        let all = notes.isEmpty ? records : try home.evidence().records
        notes += try recordInLog(all)
        return notes
    }

    /// Journals of finished runs that were planned in this home, and of which the evidence has no end.
    private func recordInEvidence(_ records: [EvidenceRecord]) throws -> [String] {
        let authenticator = try home.keeper.keyring.journalAuthenticator()
        let active = home.keeper.keyring.ring.active.map(GenerationMark.init)
        var notes: [String] = []
        func isPlannedHere(_ journal: RewrapJournal) -> Bool {
            records.contains { $0.kind == "plan" && $0.job == journal.job }
        }
        var missing: [(journal: RewrapJournal, endedIn: String?)] = []
        for store in home.namedStores {
            if let stored = try store.store.newestJournal(), let journal = try RewrapJournal(stored, authenticator),
                isPlannedHere(journal), !records.contains(where: { $0.says(journal.job, endedIn: store.name) })
            {
                missing.append((journal, store.name))
            }
            // One that nobody takes up again, since it went to a generation that is no longer the newest.
            if let stored = try store.store.openJournal(), let journal = try RewrapJournal(stored, authenticator),
                journal.target != active, isPlannedHere(journal), !records.contains(where: { $0.says(journal) })
            {
                missing.append((journal, nil))
            }
        }
        for (journal, endedIn) in missing {
            var report = JobReport(job: journal.job, kind: journal.kind == .rewrap ? "rotate" : "reencrypt")
            report.tally = journal.tally
            report.runs = [journal.job]
            report.endedIn = endedIn.map { [$0] } ?? []
            report.wasInterrupted = endedIn == nil
            var facts = report.evidence(of: journal.job)
            facts["recovered"] = .flag(true)
            try evidence.append("run", job: journal.job, facts)
            notes.append(
                "job \(journal.job) was cut off before it was recorded; its journal says: \(journal.tally.scanned) scanned, \(journal.tally.moved) moved"
            )
        }
        return notes
    }

    /// Runs in the evidence of which the audit log has no entry.
    private func recordInLog(_ records: [EvidenceRecord]) throws -> [String] {
        var notes: [String] = []
        let logged = records.lastIndex { $0.kind == "logged" } ?? -1
        for record in records[(logged + 1)...] where record.kind == "run" {
            if try !isLogged(record) {
                try log(record)
                notes.append("job \(record.job) was cut off before the audit log had its entry; it was added")
            }
            try evidence.append("logged", job: record.job, [:])
        }
        return notes
    }

    private struct Entry: Decodable {
        struct Facts: Decodable {
            var job: String?
            var evidenceRecords: UInt64?
        }
        var facts: Facts?
    }

    private func isLogged(_ record: EvidenceRecord) throws -> Bool {
        guard PrivateFile.exists(home.layout.audit) else { return false }
        // Opened, the log takes over what a crash left behind its last mark.
        _ = try home.auditLog()
        var names = [record.job]
        if case .text(let other)? = record.facts["resumed"] { names.append(other) }
        var search = AuditExport()
        search.kind = .job
        search.since = Timestamp(record.at)
        var isThere = false
        do {
            try search.run(home.layout.audit) { line in
                guard !isThere, let facts = (try? JSONDecoder().decode(Entry.self, from: Data(line)))?.facts else {
                    return
                }
                isThere = names.contains(facts.job ?? "") && facts.evidenceRecords ?? 0 >= record.number
            }
        } catch let error as AuditError where error.code == .missing { return false }
        return isThere
    }

    private func log(_ record: EvidenceRecord) throws {
        func number(_ name: String) -> (name: String, value: AuditValue) {
            guard case .number(let value)? = record.facts[name] else { return (name, .number(0)) }
            return (name, .number(value))
        }
        var facts = ["scanned", "moved", "current", "superseded"].map(number)
        var failures: Int64 = 0
        if case .counts(let failed)? = record.facts["failed"] {
            facts.append(("failed", .counts(failed)))
            failures = failed["total"] ?? 0
        }
        facts.append(("recovered", .flag(true)))
        let wasInterrupted = record.facts["interrupted"] == .flag(true)
        var names: [String] = []
        if case .list(let failed)? = record.facts["failedSecrets"] { names = failed }
        var kind = "rotate"
        if case .text(let known)? = record.facts["kind"] { kind = known }
        try home.logJob(
            kind, record.job, wasInterrupted || failures > 0 ? .failed : .done,
            reason: "the run was cut off before it was logged", facts: facts, failed: names)
    }
}

extension EvidenceRecord {
    /// Whether it says how far a run came that was not ended.
    fileprivate func says(_ journal: RewrapJournal) -> Bool {
        kind == "run" && (belongs(to: journal.job) || facts["runs"].map { $0.names(journal.job) } == true)
            && facts["scanned"] == .number(Int64(journal.tally.scanned))
    }

    /// Whether it says that a job came to its end in a store. Records of earlier versions name no stores.
    fileprivate func says(_ job: String, endedIn store: String) -> Bool {
        guard kind == "run" else { return false }
        if case .list(let ended)? = facts["ended"] {
            return ended.contains(store) && (belongs(to: job) || facts["runs"].map { $0.names(job) } == true)
        }
        return belongs(to: job) && facts["interrupted"] == .flag(false)
    }
}

extension EvidenceValue {
    fileprivate func names(_ text: String) -> Bool {
        if case .list(let items) = self { items.contains(text) } else { false }
    }
}
