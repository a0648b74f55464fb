import FoundationEssentials
import Jobs
import Reports
import Rotation

/// What `keyroll bench` found: as JSON, and as a table for people.
struct BenchDocument: Encodable {
    /// One job on the scratch home; rates are secrets a second.
    struct Job: Encodable {
        var job: String
        var secretsPerSecond: Double
        var stages: [String: Double]
        var limitedBy: String?
    }

    /// One store of the operator's.
    struct Store: Encodable {
        var store: String
        var secrets: Int64
        var stale: Int64
        var sampled: Int
        var opened: Int
        var failed: Int
        var stages: [String: Double]
        var commitFrom: String
        var limitedBy: String?
        var rotationSeconds: Double
        var staleSeconds: Double
        var verifySeconds: Double
        var reencryptionSeconds: Double?
    }

    var secrets: Int
    var bytes: Int
    var workers: Int
    var cores = RunArguments.cores
    var folder: String
    var jobs: [Job] = []
    var stores: [Store] = []
    var isWhole = true
    private var forecasts: [String: Forecast] = [:]

    private enum CodingKeys: CodingKey { case secrets, bytes, workers, cores, folder, jobs, stores }

    init(secrets: Int, bytes: Int, workers: Int, folder: String) {
        self.secrets = secrets
        self.bytes = bytes
        self.workers = workers
        self.folder = folder
    }

    mutating func add(_ result: MachineTrial.Result) {
        forecasts[result.kind] = result.forecast
        jobs.append(
            Job(
                job: result.kind, secretsPerSecond: result.report.secretsPerSecond.rounded(),
                stages: Self.rates(result.forecast), limitedBy: result.report.limiting?.rawValue))
    }

    mutating func add(_ name: String, _ trial: StoreTrial, isServer: Bool, lastRun: RunRecord?) {
        var forecast = trial.rewrap
        var source = "not known: no rotation has been run here yet"
        if isServer, let lastRun, let seconds = lastRun.stages["commit"], seconds > 0, lastRun.moved > 0 {
            forecast.each.commit = seconds / Double(lastRun.moved)
            source = "the run \(lastRun.job)"
        } else if !isServer, let scratch = forecasts["rotate"] {
            forecast.each.commit = scratch.each.commit
            source = "the scratch home"
        }
        // Its contents are as large as they are: the scratch home's ratio tells what encrypting them anew adds.
        var anew: Double?
        if !isServer, let verify = forecasts["verify"], let reencrypt = forecasts["reencrypt"], verify.secondsEach > 0 {
            anew = trial.verify.seconds(for: trial.secrets) * reencrypt.secondsEach / verify.secondsEach
        }
        stores.append(
            Store(
                store: name, secrets: trial.secrets, stale: trial.stale, sampled: trial.sampled, opened: trial.opened,
                failed: trial.failed, stages: Self.rates(forecast), commitFrom: source, limitedBy: forecast.limit,
                rotationSeconds: Self.rounded(forecast.seconds(for: trial.secrets)),
                staleSeconds: Self.rounded(forecast.seconds(for: trial.stale)),
                verifySeconds: Self.rounded(trial.verify.seconds(for: trial.secrets)),
                reencryptionSeconds: anew.map(Self.rounded)))
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [10]
    }

    var text: String {
        var lines = [
            "\(secrets) invented secrets of \(bytes) bytes, \(workers) workers on \(cores) cores, below \(Output.shown(folder))",
            Self.row(["job", "a second", "read", "transform", "commit", "limited by"]),
        ]
        for job in jobs {
            lines.append(
                Self.row(
                    [job.job, Numbers.short(job.secretsPerSecond)]
                        + Stage.allCases.map { Self.shown(job.stages[$0.rawValue]) } + [job.limitedBy ?? "-"]))
        }
        for store in stores {
            let shown = Stage.allCases.map { stage in
                "\(stage.rawValue) \(Self.shown(store.stages[stage.rawValue]))"
            }
            lines.append("")
            lines.append("store \(Output.shown(store.store)): \(store.secrets) secrets, \(store.stale) of them stale")
            lines.append(
                "  dry run of \(store.sampled), \(store.opened) opened, \(store.failed) of those failed; a second: \(shown.joined(separator: ", ")) (commit from \(Output.shown(store.commitFrom)))"
            )
            lines.append("  limited by \(store.limitedBy ?? "nothing")")
            lines.append(
                "  rotating all of it takes about \(Self.time(store.rotationSeconds)), what is stale now \(Self.time(store.staleSeconds))"
            )
            lines.append("  verifying takes about \(Self.time(store.verifySeconds))")
            if let anew = store.reencryptionSeconds {
                lines.append("  encrypting all of it anew takes about \(Self.time(anew))")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func rates(_ forecast: Forecast) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: Stage.allCases.map { ($0.rawValue, forecast.rate($0).rounded()) })
    }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }

    /// A stage that does next to nothing in a job has no rate to speak of.
    private static func shown(_ rate: Double?) -> String {
        guard let rate, rate > 0, rate < 100_000_000 else { return "-" }
        return Numbers.short(rate)
    }

    private static func time(_ seconds: Double) -> String {
        if seconds < 1 { return "less than a second" }
        if seconds < 10 { return "\((seconds * 10).rounded() / 10) s" }
        let whole = Int(seconds.rounded())
        if whole < 120 { return "\(whole) s" }
        return whole < 7200 ? "\(whole / 60) min" : "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    private static func row(_ cells: [String]) -> String {
        let padded = zip(cells, [10, 10, 10, 10, 10, 10]).map { text, width in
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
}
