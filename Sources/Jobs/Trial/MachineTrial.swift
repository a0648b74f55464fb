import Home
import Interchange
import KeyManagement
public import Rotation

/// The jobs as they are, in a home with invented secrets: what this machine and this disk can do.
public struct MachineTrial {
    /// What a job did there.
    public struct Result: Sendable {
        /// Its kind.
        public var kind: String
        /// What it did.
        public var report: JobReport
        /// What follows for other numbers.
        public var forecast: Forecast
    }

    private let trial: TrialHome
    private let options: RunOptions
    private let cores: Int

    /// - Parameters:
    ///   - trial: the home.
    ///   - workers: crypto workers.
    ///   - cores: how many cores the machine has.
    public init(_ trial: TrialHome, workers: Int, cores: Int) {
        self.trial = trial
        options = RunOptions(workers: workers)
        self.cores = cores
    }

    /// The kinds of jobs, in the order in which they have to be run.
    public static let kinds = ["import", "rotate", "verify", "reencrypt"]

    /// Runs one of them.
    ///
    /// - Parameters:
    ///   - kind: one of ``kinds``.
    ///   - control: stop and progress.
    public func run(_ kind: String, control: RunControl) throws -> Result {
        let home = trial.home
        let report =
            switch kind {
            case "import":
                try ImportJob(home, replace: false, options: options, control: control).run(
                    RecordSource(paths: [trial.input], format: .jsonl, wholeRow: false))
            case "rotate": try RotateJob(home, isForced: true, options: options, control: control).run()
            case "verify": try VerifyJob(home, options: options, control: control).run()
            default:
                try ReencryptJob(
                    home, compromised: [home.keeper.keyring.ring.active?.number ?? 1], occurred: nil, reason: "a trial",
                    options: options, control: control
                ).run()
            }
        return Result(
            kind: kind, report: report,
            forecast: Forecast(
                report.stages, handled: report.handled, workers: options.workers, cores: cores))
    }
}
