import Home
import Jobs
import KeyManagement
import Rotation
import SecretStores

extension TestHome {
    /// Rewraps a store under the active generation.
    func rewrap(
        _ store: (any SecretStore)? = nil, keeper: RingKeeper? = nil, workers: Int = 2, rate: Int? = nil,
        isDryRun: Bool = false, job: String = "job", control: RunControl = RunControl()
    ) throws -> RewrapRun.Outcome {
        try RewrapRun(
            store ?? self.store, keeper: keeper ?? self.keeper,
            options: RunOptions(workers: workers, maximumRate: rate, isDryRun: isDryRun), control: control
        ).run(job: job)
    }

    /// Begins a rewrap and stops it after some batches of one page.
    ///
    /// - Returns: what the run said.
    func interruptedRewrap(after batches: Int, of store: (any SecretStore)? = nil, job: String = "interrupted") throws
        -> RewrapRun.Outcome
    {
        let control = RunControl()
        var hooks = WatchedStore.Hooks(pages: 1)
        // Not at a commit: by then the reader may be at the end.
        hooks.onRead = { if $0 == batches { control.stop() } }
        return try rewrap(WatchedStore(store ?? self.store, hooks), workers: 1, job: job, control: control)
    }

    /// Encrypts anew what these generations may have exposed.
    func reencrypt(
        _ compromised: [UInt32], in store: (any SecretStore)? = nil, workers: Int = 2, isDryRun: Bool = false,
        job: String = "job", control: RunControl = RunControl()
    ) throws -> RewrapRun.Outcome {
        try ReencryptRun(
            store ?? self.store, keeper: keeper, compromised: compromised,
            options: RunOptions(workers: workers, isDryRun: isDryRun), control: control
        ).run(job: job)
    }

    func verify(_ store: (any SecretStore)? = nil, workers: Int = 2) throws -> VerifyRun.Outcome {
        try VerifyRun(
            store ?? self.store, keeper: keeper, options: RunOptions(workers: workers), control: RunControl()
        ).run()
    }
}

extension RunTally {
    /// Scanned, moved, current, superseded, failed.
    var numbers: [Int] { [scanned, moved, current, superseded, failed.total] }
}

/// The code of the error that `body` throws; nil where it throws another one or none.
func storeCode(of body: () throws -> Void) -> StoreError.Code? {
    do { try body() } catch { return (error as? StoreError)?.code }
    return nil
}

/// Runs the scheduled job.
func rotate(
    _ home: Home, isForced: Bool = false, isDryRun: Bool = false, control: RunControl = RunControl()
) throws -> JobReport {
    try RotateJob(home, isForced: isForced, options: RunOptions(workers: 2, isDryRun: isDryRun), control: control)
        .run()
}
