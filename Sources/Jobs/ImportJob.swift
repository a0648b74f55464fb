public import Home
public import Interchange
import KeyManagement
public import Rotation
import SecretStores

/// Imports files into the home's first store.
public struct ImportJob {
    private let home: Home
    private let options: RunOptions
    private let control: RunControl
    private let replace: Bool

    /// - Parameters:
    ///   - home: the home.
    ///   - replace: write over secrets with another content.
    ///   - options: workers, rate, dry run.
    ///   - control: stop and progress.
    public init(_ home: Home, replace: Bool, options: RunOptions, control: RunControl) {
        self.home = home
        self.replace = replace
        self.options = options
        self.control = control
    }

    /// Reads all of `source`.
    ///
    /// What is wrong with the input is in the report; a bad record counts as failed (malformed).
    public func run(_ source: RecordSource) throws -> JobReport {
        let clock = ContinuousClock()
        let start = clock.now
        var report = JobReport(job: try JobIdentity.new("import"), kind: "import")
        report.isDryRun = options.isDryRun
        let outcome = try ImportRun(
            home.store, keeper: home.keeper, replace: replace, options: options, control: control
        ).run(source)
        report.importCounts = outcome.tally
        let bad = outcome.problemCount - outcome.tally.kept
        report.problems = outcome.problems
        report.problemCount = outcome.problemCount
        report.tally.failed[.malformed] = bad
        report.tally.scanned = outcome.records + bad
        report.tally.moved = outcome.tally.added + outcome.tally.replaced
        report.tally.current = outcome.tally.unchanged
        report.tally.superseded = outcome.tally.kept
        report.handled = outcome.records
        report.wasInterrupted = outcome.wasInterrupted
        report.stages = outcome.stages
        report.generation = home.keeper.keyring.ring.active?.number ?? 0
        report.seconds = start.duration(to: clock.now).inSeconds
        return report
    }
}
