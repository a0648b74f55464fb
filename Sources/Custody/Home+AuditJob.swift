public import Audit
import Evidence
public import Home
import KeyManagement

/// What jobs leave in the audit log: one entry each, whatever the number of secrets, and the names of those that failed.
extension Home {
    /// Logs that a job ended, signs, and returns once that is on the disk.
    ///
    /// - Parameters:
    ///   - kind: what the job does: rotate, backup …
    ///   - job: its identity.
    ///   - outcome: how it came out.
    ///   - reason: why it failed.
    ///   - facts: what it did.
    ///   - failed: names of the secrets that it failed on.
    /// - Throws: `AuditError`, `FileError`.
    public func logJob(
        _ kind: String, _ job: String, _ outcome: AuditEvent.Outcome = .done, reason: String? = nil,
        facts: [(name: String, value: AuditValue)] = [], failed: [String] = []
    ) throws {
        var facts: [(name: String, value: AuditValue)] = [("job", .text(job)), ("kind", .text(kind))] + facts
        // The evidence says what was done step by step; its head stands for all of it.
        if let head = try? EvidenceChain(path: layout.evidence).head() {
            facts.append(("evidenceRecords", .number(Int64(clamping: head.count))))
            facts.append(("evidenceHash", .text(head.head)))
        }
        if let person = AuditActor.askedBy { facts.append(("askedBy", .text(person))) }
        let actor = AuditActor.own()
        var events = [AuditEvent(.job, outcome, by: actor, reason: reason, facts: facts)]
        events += AuditEvent.failedSecrets(failed, job: job, by: actor)
        let log = try auditLog()
        try log.append(events, synced: false)
        // A ring of an older format has no signer yet.
        if keeper.keyring.ring.signer != nil { try log.checkpoint() }
        try log.sync()
    }
}

extension Home {
    /// Does something and logs how it ended: what is refused as well.
    ///
    /// - Parameters:
    ///   - kind: what it is: retire, destroy …
    ///   - job: its identity.
    ///   - facts: what it is about.
    ///   - body: what is done.
    public func logged<R>(
        _ kind: String, _ job: String, facts: [(name: String, value: AuditValue)], _ body: () throws -> R
    ) throws -> R {
        let result: R
        do { result = try body() } catch {
            let isRefused = (error as? CustodyError)?.code == .refused
            // The error says more than a log that takes no entry either.
            try? logJob(kind, job, isRefused ? .refused : .failed, reason: "\(error)", facts: facts)
            throw error
        }
        try logJob(kind, job, facts: facts)
        return result
    }
}
