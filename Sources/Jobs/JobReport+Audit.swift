import Audit
import Custody
import Evidence
import Files
import Home
import Rotation
import SecretStores

extension JobReport {
    /// Whether there is anything to log: a job that found nothing to do leaves no entry.
    private var isWorthAnEntry: Bool {
        tally.scanned > 0 || !plan.isEmpty || !retired.isEmpty || !rehearsed.isEmpty || isDetached
    }

    /// Logs what the job did. A log that takes no entry undoes nothing of it, but it needs somebody.
    mutating func log(_ home: Home) {
        guard !isDryRun, isWorthAnEntry else { return }
        var failed = Dictionary(
            uniqueKeysWithValues: FailureReason.allCases.map { ($0.rawValue, Int64(tally.failed[$0])) })
        failed["total"] = Int64(tally.failed.total)
        var facts: [(name: String, value: AuditValue)] = [
            ("scanned", .number(Int64(tally.scanned))), ("moved", .number(Int64(tally.moved))),
            ("current", .number(Int64(tally.current))), ("superseded", .number(Int64(tally.superseded))),
            ("failed", .counts(failed)), ("milliseconds", .number(Int64(seconds * 1000))),
            ("generation", .number(Int64(generation))), ("interrupted", .flag(wasInterrupted)),
        ]
        if !unreachable.isEmpty { facts.append(("unreachable", .list(unreachable))) }
        if !retired.isEmpty { facts.append(("retired", .list(retired.map(String.init)))) }
        if !rehearsed.isEmpty { facts.append(("rehearsed", .list(rehearsed.map(String.init)))) }
        let isFailed = wasInterrupted || tally.failed.total > 0
        do {
            try home.logJob(
                kind, job, isFailed ? .failed : .done, reason: wasInterrupted ? "interrupted" : nil, facts: facts,
                failed: faults.map(\.name))
        } catch {
            // What changed nothing, on a disk that is full, has done all that it is for.
            needsAttention = needsAttention || kind != "verify"
            notes.append("the audit log did not take this job: \(error)")
            return
        }
        guard let recordedAs else { return }
        // So that the next run need not look for the entry. Where this is lost it looks.
        do { try EvidenceChain(path: home.layout.evidence).append("logged", job: recordedAs, [:]) } catch {
            needsAttention = true
            notes.append("the evidence did not take that this job was logged: \(error)")
        }
    }
}

extension Home {
    /// Runs a job and logs how it ended, whether it came to its end or not.
    ///
    /// - Parameters:
    ///   - kind: what the job does.
    ///   - isDryRun: nothing is done and nothing is logged.
    ///   - body: the job.
    func logging(_ kind: String, isDryRun: Bool, _ body: () throws -> JobReport) throws -> JobReport {
        do {
            var report = try body()
            report.log(self)
            // After the log, so that the ring knows of all that was recorded, and a run without work changes nothing.
            if !isDryRun, report.isKept {
                try report.noteEvidence(of: self)
                try ReportFile.write(report, layout)
            }
            return report
        } catch let busy as OwnerLock.Busy {
            // It never began.
            throw busy
        } catch {
            // The error says more than a log that takes no entry either.
            if !isDryRun { try? logJob(kind, JobIdentity.new(kind), .failed, reason: "\(error)") }
            throw error
        }
    }
}
