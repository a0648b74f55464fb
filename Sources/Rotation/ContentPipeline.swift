import SecretStores

/// The pipeline over contents, for runs that re-encrypt and that verify: what they read, and how much of it is in memory
/// at a time.
struct ContentPipeline {
    let store: any SecretStore
    let selection: ContentSelection
    /// Where to begin.
    let start: Int64
    let options: RunOptions
    let control: RunControl

    /// All outsized secrets in flight together: one of the largest, or many smaller ones.
    static let outsizedBytes = StoreLimits.plaintext + (64 << 10)
    /// What all batches together may hold before any is full; an arena may take one more secret that is not outsized, and
    /// a worker's scratch holds one: both limits shrink where there are many workers.
    private static let arenaBytes = 12 << 20
    private static let singleBytes = 14 << 20

    /// As ``Pipeline/run(_:workers:control:reader:worker:commit:)``. A batch is empty after `commit`.
    func run(
        worker: @escaping @Sendable () throws -> (ContentBatch) throws -> Void, commit: (ContentBatch) throws -> Void
    ) throws -> StageTimes {
        let (store, selection, start, options, control) = (store, selection, start, options, control)
        let count = options.workers + 2
        let softLimit = min(2 << 20, Self.arenaBytes / count)
        let outsizedLimit = min(ContentBatch.usualOutsizedLimit, Self.singleBytes / count)
        let budget = ByteBudget(Self.outsizedBytes)
        return try Pipeline<ContentBatch>.run(
            (0..<count).map { _ in ContentBatch(softLimit: softLimit, outsizedLimit: outsizedLimit, grant: 0) },
            workers: options.workers, control: control,
            reader: {
                let reader = try store.contentReader()
                reader.skip(to: start)
                var pacer = Pacer(options.maximumRate)
                return { batch in
                    let more = try Self.fill(batch, reader, selection, budget)
                    pacer.pass(batch.records.count, control)
                    return more
                }
            },
            worker: worker,
            commit: { batch in
                try commit(batch)
                let granted = batch.grant
                batch.reset()
                batch.grant = 0
                budget.giveBack(granted)
            },
            onFailure: { budget.close() })
    }

    /// Reads a batch. For an outsized secret it waits between two snapshots, so that no old one keeps the log long.
    ///
    /// - Returns: false at the end, or after a failure elsewhere.
    private static func fill(
        _ batch: ContentBatch, _ reader: any ContentReader, _ selection: ContentSelection, _ budget: ByteBudget
    ) throws -> Bool {
        var more = try reader.read(into: batch, selecting: selection)
        while batch.wanted > 0 {
            // A longer one may have taken its place meanwhile.
            budget.giveBack(batch.grant)
            batch.grant = batch.wanted
            guard budget.take(batch.wanted) else { return false }
            batch.wanted = 0
            more = try reader.read(into: batch, selecting: selection)
        }
        return more
    }
}
