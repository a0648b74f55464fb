public import Home
import Protection
public import Rotation
public import SecretStores

/// A dry run on an operator's own store: the real reader and the real workers, nothing written.
public struct StoreTrial: Sendable {
    /// The secrets of the store.
    public var secrets: Int64
    /// Those that a rotation would move today.
    public var stale: Int64
    /// How many the dry run of a rotation went through.
    public var sampled: Int
    /// Seconds a stage for a rotation; the commits are somebody else's measurement.
    public var rewrap: Forecast
    /// The same for opening every content.
    public var verify: Forecast
    /// How many contents were opened.
    public var opened: Int
    /// What became of those: a store with faults is no surprise later.
    public var failed: Int

    /// Looks for at most some seconds, twice.
    ///
    /// - Parameters:
    ///   - store: the store.
    ///   - home: the home that it belongs to.
    ///   - workers: crypto workers.
    ///   - cores: how many cores the machine has.
    ///   - watch: runs a part of the trial, and ends it early by its control where that takes too long.
    /// - Throws: what the store or the key repository throws.
    public init(
        _ store: any SecretStore, _ home: Home, workers: Int, cores: Int,
        watch: (RunControl, () throws -> Void) throws -> Void
    ) throws {
        let options = RunOptions(workers: workers, isDryRun: true)
        secrets = try store.census().total
        stale = try home.movable(store)
        var run: RewrapRun.Outcome?
        var control = RunControl()
        try watch(control) { [control] in
            run = try RewrapRun(store, keeper: home.keeper, options: options, control: control)
                .rehearseRoll(job: JobIdentity.new("bench"))
        }
        sampled = run?.handled ?? 0
        rewrap = Forecast(run?.stages ?? StageTimes(), handled: sampled, workers: workers, cores: cores)
        var check: VerifyRun.Outcome?
        control = RunControl()
        try watch(control) { [control] in
            check = try VerifyRun(store, keeper: home.keeper, options: options, control: control).run()
        }
        opened = check?.tally.scanned ?? 0
        failed = check?.tally.failed.total ?? 0
        verify = Forecast(check?.stages ?? StageTimes(), handled: opened, workers: workers, cores: cores)
    }
}
