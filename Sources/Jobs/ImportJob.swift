public import Home
public import Interchange
import KeyManagement
public import Rotation
import SecretStores

/// Imports files into one store of the home, the first one if nothing else is said.
public struct ImportJob {
    private let home: Home
    private let options: RunOptions
    private let control: RunControl
    private let replace: Bool
    private let store: String?

    /// - Parameters:
    ///   - home: the home.
    ///   - store: the store's name; nil for the first one.
    ///   - replace: write over secrets with another content.
    ///   - options: workers, rate, dry run.
    ///   - control: stop and progress.
    public init(
        _ home: Home, in store: String? = nil, replace: Bool, options: RunOptions, control: RunControl
    ) {
        self.home = home
        self.store = store
        self.replace = replace
        self.options = options
        self.control = control
    }

    /// So many secrets are compared by name with other stores' at the end of an import.
    private static let comparedAtMost: Int64 = 200_000

    /// Reads all of `source`.
    ///
    /// What is wrong with the input is in the report; a bad record counts as failed (malformed).
    public func run(_ source: RecordSource) throws -> JobReport {
        try home.logging("import", isDryRun: options.isDryRun) { try perform(source) }
    }

    private func perform(_ source: RecordSource) throws -> JobReport {
        let start = ContinuousClock.now
        var report = JobReport(job: try JobIdentity.new("import"), kind: "import")
        report.isDryRun = options.isDryRun
        let outcome = try ImportRun(
            store.map(home.store(named:)) ?? home.firstStore(), keeper: home.keeper, replace: replace, options: options,
            control: control
        ).run(source)
        report.importCounts = outcome.tally
        // A batch is checked against its own store; what others have is looked at once, at the end.
        if !options.isDryRun, outcome.tally.added > 0, home.stores.count > 1 {
            // All names are gone through for that, which takes seconds a million.
            if try home.stores.reduce(0, { try $0 + $1.census().total }) > Self.comparedAtMost {
                report.notes.append("names were not compared with those of the other stores; keyroll doctor does that")
            } else if let line = try DoubledNames(home).line {
                report.notes.append(line)
            }
        }
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
        report.end(control, options, since: start)
        report.keep(home.layout)
        return report
    }
}
