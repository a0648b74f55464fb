import Files
public import Home
import Jobs
public import Rotation

/// What a home tells Prometheus: the census, what is due, and how the last jobs went.
///
/// Names of secrets are not among the labels: the file is for everybody on the machine to read.
public struct Metrics: Sendable {
    private let status: Status
    private let history: RunHistory
    private let version: String

    /// - Parameters:
    ///   - home: the home.
    ///   - version: this program's version.
    /// - Throws: what a store or the key repository throws.
    public init(_ home: Home, version: String) throws {
        status = try Status(home)
        history = RunHistory(home.layout, limit: 0)
        self.version = version
    }

    /// The text, in Prometheus' exposition format.
    ///
    /// - Parameter running: the job in work with its control; nil where none is.
    public func text(running: (job: String, control: RunControl)? = nil) -> String {
        var text = PrometheusText()
        let group = ("group", status.group)
        func one(_ name: String, _ help: String, _ value: Double?) { text.gauge(name, help, [([group], value)]) }

        text.gauge(
            "keyroll_build_info", "The program that wrote this; always 1.", [([group, ("version", version)], 1)])
        one("keyroll_written_timestamp_seconds", "When this was written.", Double(Timestamp.now.rawValue))
        text.gauge(
            "keyroll_generation_secrets", "Secrets that a generation protects.",
            status.generations.map { ([group] + Self.labels($0), Double($0.secrets)) })
        text.gauge(
            "keyroll_generation_quarantined_secrets", "Secrets of a generation that runs could not move.",
            status.generations.map { ([group] + Self.labels($0), Double($0.quarantined)) })
        text.gauge(
            "keyroll_generation_copies_secrets", "Secrets in registered copies that still need a generation.",
            status.generations.map { ([group] + Self.labels($0), Double($0.inCopies)) })
        text.gauge(
            "keyroll_generation_activated_timestamp_seconds", "When a generation became active.",
            status.generations.map { ([group] + Self.labels($0), $0.activated.map { Double($0.rawValue) }) })
        text.gauge(
            "keyroll_generation_proven_restorable_timestamp_seconds",
            "When a generation's bundle was last proven restorable; 0 where it never was.",
            status.generations.filter { $0.state != "destroyed" }.map {
                ([group] + Self.labels($0), Double($0.provenRestorable?.rawValue ?? 0))
            })
        one("keyroll_secrets", "All secrets in the stores that can be reached.", Double(status.secrets))
        one("keyroll_remaining_secrets", "Secrets that a rotation would move.", Double(status.remaining))
        one("keyroll_quarantined_secrets", "Secrets that wait for somebody to look.", Double(status.quarantined))
        one("keyroll_active_generation", "The number of the generation that protects.", status.active.map(Double.init))
        one("keyroll_overdue", "1 where something that policy asks for is late.", status.overdue ? 1 : 0)
        one("keyroll_attention", "How many things need somebody's attention.", Double(status.attention.count))
        one(
            "keyroll_next_roll_timestamp_seconds", "When the active generation's cryptoperiod ends.",
            status.nextRoll.map { Double($0.rawValue) })
        text.gauge(
            "keyroll_store_reachable", "1 where a store can be reached.",
            status.stores.map { ([group, ("store", $0)], status.unreachable.contains($0) ? 0 : 1) })
        addJobs(&text, group)
        addRunning(&text, group, running)
        return text.text
    }

    private func addJobs(_ text: inout PrometheusText, _ group: (String, String)) {
        func each(_ name: String, _ help: String, _ value: (RunRecord) -> Double?) {
            text.gauge(name, help, history.last.map { ([group, ("job", $0.kind)], value($0)) })
        }
        each("keyroll_job_last_run_timestamp_seconds", "When a job of this kind last came to its end.") {
            $0.ended.map { Double($0.rawValue) }
        }
        text.gauge(
            "keyroll_job_last_success_timestamp_seconds", "When a job of this kind last ended with exit code 0.",
            RunHistory.kinds.map { ([group, ("job", $0)], history.lastSuccess[$0].map { Double($0.rawValue) }) })
        each("keyroll_job_last_success", "1 where the last job of this kind ended with exit code 0.") {
            $0.success.map { $0 ? 1 : 0 }
        }
        each("keyroll_job_last_duration_seconds", "How long the last job of this kind took.") { $0.seconds }
        each("keyroll_job_last_secrets_per_second", "The rate of the last job of this kind.") { $0.secretsPerSecond }
        text.gauge(
            "keyroll_job_last_secrets", "What became of the secrets in the last job of this kind.",
            history.last.flatMap { record in
                [
                    ("moved", record.moved), ("current", record.current), ("superseded", record.superseded),
                    ("failed", record.failed["total"] ?? 0),
                ].map { ([group, ("job", record.kind), ("outcome", $0.0)], Double($0.1)) }
            })
        text.gauge(
            "keyroll_job_last_failed_secrets", "Secrets that the last job of this kind could not move, by reason.",
            history.last.flatMap { record in
                record.failed.sorted { $0.key < $1.key }.filter { $0.key != "total" }.map {
                    ([group, ("job", record.kind), ("reason", $0.key)], Double($0.value))
                }
            })
    }

    private func addRunning(
        _ text: inout PrometheusText, _ group: (String, String), _ running: (job: String, control: RunControl)?
    ) {
        text.gauge(
            "keyroll_job_running", "1 while a job of this kind runs.",
            RunHistory.kinds.map { ([group, ("job", $0)], $0 == running?.job ? 1 : 0) })
        guard let (job, control) = running else { return }
        let labels = [group, ("job", job)]
        text.gauge(
            "keyroll_job_handled_secrets", "Secrets that the running job has handled.",
            [(labels, Double(control.handled))])
        text.gauge(
            "keyroll_job_expected_secrets", "Secrets that the running job is about, as far as is known.",
            [(labels, control.total > 0 ? Double(control.total) : nil)])
    }

    private static func labels(_ line: Status.Line) -> [(String, String)] {
        [("generation", String(line.number)), ("state", line.state), ("archived", line.archived ? "true" : "false")]
    }
}
