import Cryptography
import KeyManagement
import Protection
import SecretStores
import Synchronization

/// One way through key pages, or through a range of them: reader, workers, committer, and the journal that goes along in
/// each batch's transaction.
struct RewrapPass {
    let store: any SecretStore
    let keeper: RingKeeper
    let options: RunOptions
    let control: RunControl
    let key: Keyring.Key
    let mark: GenerationMark
    /// The last page.
    var through = Int64.max

    /// Moves every slot that is not at the target, from the journal's cursor on.
    ///
    /// - Parameters:
    ///   - journal: goes along; afterwards it says how far the pass came.
    ///   - committer: nil to throw the writes away.
    ///   - countsCurrent: false for another look at secrets that were counted before.
    ///   - onBatch: gets the number of secrets of each batch.
    /// - Returns: how long each stage was busy.
    func run(
        _ journal: inout RewrapJournal, with committer: (any PageCommitter)?, countsCurrent: Bool,
        onBatch: (Int) -> Void
    ) throws -> StageTimes {
        let (store, control, options, key, mark, through) = (store, control, options, key, mark, through)
        let authenticator = try keeper.keyring.journalAuthenticator()
        let keys = KeySource(keeper)
        // Small batches for a small rate, so that pacing is even; at most 256 pages (1 MiB), which a commit holds the
        // writers' turn for a few milliseconds.
        let capacity = options.maximumRate.map { min(256, max(1, $0 / 20 / store.slotsPerPage)) } ?? 256
        let batches = (0..<(options.workers + 3)).map { _ in
            PageBatch(slotsPerPage: store.slotsPerPage, capacity: capacity)
        }
        let start = journal.cursor
        let pagesWanted = Atomic(capacity)
        return try Pipeline<PageBatch>.run(
            batches, workers: options.workers, control: control,
            reader: {
                let reader = try store.pageReader()
                var pacer = Pacer(options.maximumRate)
                var last = start
                return { batch in
                    batch.reset()
                    let wanted = Int64(pagesWanted.load(ordering: .relaxed))
                    // Numbers may have gaps: what is read beyond the end is left out again.
                    batch.pagesWanted = Int(min(wanted, through == .max ? wanted : max(1, through - last)))
                    try reader.read(into: batch, after: last)
                    batch.drop(after: through)
                    guard batch.count > 0 else { return false }
                    last = batch.pages[batch.count - 1]
                    pacer.pass(batch.count * store.slotsPerPage, control)
                    return true
                }
            },
            worker: {
                let transform = try RewrapTransform(target: mark.number, key: key, keys: keys)
                return { try transform.apply(to: $0) }
            },
            commit: { batch in
                if let committer {
                    var next = journal
                    _ = try committer.commit(batch, to: mark, job: journal.job) { tally in
                        // The store may ask more than once; only what it committed counts.
                        next = journal
                        next.add(batch, tally, countsCurrent: countsCurrent)
                        return try next.record(authenticator, isFinished: false)
                    }
                    journal = next
                } else {
                    journal.add(batch, .wouldBe(batch), countsCurrent: countsCurrent)
                }
                // Each failure is named in the quarantine, which takes longer than a move: smaller batches give the
                // writers' turn back in time.
                let isFailing = batch.failures.count > 256
                pagesWanted.store(isFailing ? min(capacity, 8) : capacity, ordering: .relaxed)
                onBatch(batch.scanned)
                control.add(batch.scanned)
            })
    }
}

extension RewrapJournal {
    /// Adds what a batch's commit did, and moves the cursor.
    ///
    /// - Parameter countsCurrent: false for another look at secrets that were counted before.
    fileprivate mutating func add(_ batch: PageBatch, _ commit: CommitTally, countsCurrent: Bool) {
        tally.scanned += batch.scanned - (countsCurrent ? 0 : batch.current)
        tally.current += countsCurrent ? batch.current : 0
        tally.moved += commit.moved
        tally.superseded += commit.superseded
        tally.failed += commit.failed
        cursor = batch.pages[batch.count - 1]
    }
}

extension CommitTally {
    /// What a commit would do that nobody comes in between of: for a dry run.
    fileprivate static func wouldBe(_ batch: PageBatch) -> CommitTally {
        var tally = CommitTally()
        tally.moved = batch.sources.reduce(0) { $0 + $1.count }
        for failure in batch.failures { tally.failed[failure.reason] += 1 }
        return tally
    }
}
