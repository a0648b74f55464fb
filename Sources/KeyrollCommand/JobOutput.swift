import Jobs
import Reports
import Rotation
import SecretStores

/// How a job shows itself: its answer on standard output, notes and errors on standard error.
struct JobOutput {
    var isJSON: Bool
    var isQuiet: Bool
    var metrics: MetricsFile?

    /// What a job did, and why its metrics could not be written.
    struct Ran {
        var report: JobReport
        var metricsFault: String?

        /// The exit code where all else went well.
        var end: Exit {
            guard let metricsFault else { return .done }
            Output.error(metricsFault)
            return .inputOutput
        }
    }

    /// Prints what a job did.
    func show(_ ran: Ran) throws -> Exit {
        let report = ran.report
        for fault in report.faults.prefix(100) {
            Output.error(
                "secret '\(Output.shown(fault.name))': \(fault.reason.rawValue) (generation \(fault.generation))")
        }
        if report.faults.count > 100 { Output.error("and more; see --json") }
        if isJSON {
            try report.json().withUnsafeBytes { Output.bytes($0) }
        } else if !isQuiet {
            Output.print(Self.text(report))
        }
        show(report.notes)
        if report.wasInterrupted {
            Output.error("interrupted after \(report.tally.scanned) secrets; run it again to go on")
            return .tryAgain
        }
        return report.tally.failed.total == 0 && report.faults.isEmpty && !report.needsAttention ? ran.end : .someFailed
    }

    /// Prints notes for people.
    func show(_ notes: [String]) {
        guard !isQuiet else { return }
        for note in notes { Output.note("note: \(note)") }
    }

    private static func text(_ report: JobReport) -> String {
        var lines = report.plan.map { (report.isDryRun ? "would " : "") + $0 }
        let tally = report.tally
        if report.kind == "rotate", report.plan.isEmpty, tally.scanned == 0 { lines.append("nothing to do") }
        if tally.scanned > 0 {
            let verb =
                report.kind == "verify"
                ? "\(tally.current) open"
                : "\(tally.moved) moved, \(tally.current) current, \(tally.superseded) superseded"
            lines.append(
                "\(report.isDryRun ? "dry run: " : "")\(tally.scanned) scanned: \(verb), \(tally.failed.total) failed")
            lines.append(
                "\(Numbers.seconds(report.seconds)), \(Numbers.short(report.secretsPerSecond)) secrets a second; busy: read \(Numbers.seconds(report.stages.read)), transform \(Numbers.seconds(report.stages.transform)), commit \(Numbers.seconds(report.stages.commit))\(report.limiting.map { "; limited by \($0.rawValue)" } ?? "")"
            )
        }
        for number in report.retired { lines.append("generation \(number) is off line; its key is in its bundle") }
        for number in report.rehearsed { lines.append("generation \(number) is proven restorable") }
        lines.append("generation \(report.generation) is active")
        lines.append("job \(report.job)")
        return lines.joined(separator: "\n") + "\n"
    }
}
