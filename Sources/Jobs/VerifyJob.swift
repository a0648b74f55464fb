public import Home
import KeyManagement
public import Rotation

/// Unprotects every secret of every store and throws the plaintext away.
public struct VerifyJob {
    private let home: Home
    private let options: RunOptions
    private let control: RunControl

    /// - Parameters:
    ///   - home: the home.
    ///   - options: workers and rate.
    ///   - control: stop and progress.
    public init(_ home: Home, options: RunOptions, control: RunControl) {
        self.home = home
        self.options = options
        self.control = control
    }

    /// Opens them all; ``RunTally/moved`` is 0 and ``RunTally/current`` counts those that opened.
    public func run() throws -> JobReport {
        try home.logging("verify", isDryRun: options.isDryRun, perform)
    }

    private func perform() throws -> JobReport {
        let start = ContinuousClock.now
        var report = JobReport(job: try JobIdentity.new("verify"), kind: "verify")
        report.isDryRun = options.isDryRun
        var round = StoreRound(home)
        try round.each { store in
            var outcome = try VerifyRun(store, keeper: home.keeper, options: options, control: control).run()
            report.handled += outcome.tally.scanned
            report.wasInterrupted = report.wasInterrupted || outcome.wasInterrupted
            outcome.tally.current = outcome.tally.moved
            outcome.tally.moved = 0
            report.tally = report.tally.adding(outcome.tally)
            report.stages = report.stages.adding(outcome.stages)
            report.faults += outcome.faults
        }
        report.nameUnreachable(round.home)
        report.generation = home.keeper.keyring.ring.active?.number ?? 0
        report.end(control, options, since: start)
        report.keep(home.layout)
        return report
    }
}
