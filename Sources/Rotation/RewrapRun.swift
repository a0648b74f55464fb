import Cryptography
import Files
public import KeyManagement
import Protection
public import SecretStores
import Synchronization

/// Rewraps one store under the active generation: reader, workers, committer, journal, and the closing count.
public struct RewrapRun {
    private let store: any SecretStore
    private let keeper: RingKeeper
    private let options: RunOptions
    private let control: RunControl

    /// What a run did.
    public struct Outcome: Sendable {
        /// The run's identity; a resumed run keeps it.
        public var job: String
        /// What became of the secrets, in all attempts of this run.
        public var tally: RunTally
        /// The secrets handled in this attempt.
        public var handled: Int
        /// How long each stage was busy in this attempt.
        public var stages: StageTimes
        /// Whether it went on where an earlier attempt had stopped.
        public var wasResumed: Bool
        /// Whether somebody asked for an end before it was reached; the journal says how far it came.
        public var wasInterrupted = false
        /// Whether the counters did not agree with the slots and were written anew.
        public var correctedCensus = false
        /// Whether a journal was found that was forged or belongs to something else.
        public var ignoredJournal: Bool
    }

    /// - Parameters:
    ///   - store: whose slots to move.
    ///   - keeper: the ring; its active generation is the target, and the store's fence has to stand there.
    ///   - options: workers, rate, dry run.
    ///   - control: stop and progress.
    public init(_ store: any SecretStore, keeper: RingKeeper, options: RunOptions, control: RunControl) {
        self.store = store
        self.keeper = keeper
        self.options = options
        self.control = control
    }

    /// Moves every slot that is not at the active generation.
    ///
    /// - Parameter job: the identity of a new run; one that is resumed keeps its own.
    /// - Throws: ``RotationError``, `StoreError` with `fenced`, or what a store or the key repository throws.
    ///   Whatever it throws, the store is whole and another run goes on.
    public func run(job: String) throws -> Outcome {
        let (active, key) = try keeper.keyring.active()
        return try run(job: job, mark: GenerationMark(active), key: key)
    }

    /// A dry run of what follows a roll: as if there were a next generation, under a key that is thrown away.
    public func rehearseRoll(job: String) throws -> Outcome {
        precondition(options.isDryRun, "only a dry run may wrap under a key that nobody keeps")
        let mark = GenerationMark(
            number: try keeper.keyring.ring.nextNumber(above: try store.marks().generations.last?.number ?? 0),
            identity: store.group, checkValue: [])
        return try run(job: job, mark: mark, key: .scratch())
    }

    private func run(job: String, mark: GenerationMark, key: Keyring.Key) throws -> Outcome {
        let authenticator = try keeper.keyring.journalAuthenticator()
        var (journal, resumed, ignored) = try journal(job, mark, authenticator)
        if resumed { journal.resumed += 1 }
        let census = try store.census()
        control.begin("rewrap", total: Int(census.total), handled: journal.tally.scanned)
        var outcome = Outcome(
            job: journal.job, tally: journal.tally, handled: 0, stages: StageTimes(), wasResumed: resumed,
            ignoredJournal: ignored)

        var passes = 0
        while true {
            passes += 1
            try pass(&journal, key: key, mark: mark, authenticator, isFirst: passes == 1, &outcome)
            if control.isStopping {
                outcome.wasInterrupted = true
                outcome.tally = journal.tally
                return outcome
            }
            guard journal.tally.addsUp else {
                throw RotationError(
                    .outcomesDoNotAddUp, "the outcomes of run \(journal.job) do not add up: \(journal.tally)")
            }
            if options.isDryRun { break }
            // The cursor only saves time: what counts is that nothing is left. A resumed run, or one beside writers
            // that held an old ring until the fence rose, may have to look again.
            let left = try leftOver(mark)
            if left <= 0 || passes == 3 { break }
            if passes == 2, try store.correctCensus() {
                outcome.correctedCensus = true
                if try leftOver(mark) <= 0 { break }
            }
            journal.beginAnotherPass()
            control.begin("rewrap", total: Int(census.total))
        }
        if !options.isDryRun { try finish(journal, mark, authenticator) }
        outcome.tally = journal.tally
        return outcome
    }

    /// Secrets that are counted under older generations and are not known to be impossible to move.
    private func leftOver(_ mark: GenerationMark) throws -> Int64 {
        try store.census().stale(except: mark.number) - store.quarantineCount(except: mark.number)
    }

    private func finish(_ journal: RewrapJournal, _ mark: GenerationMark, _ authenticator: Authenticator) throws {
        let known = try store.quarantineCount(except: mark.number)
        try store.finish(journal.record(authenticator, isFinished: true)) { census in
            let stale = census.stale(except: mark.number)
            guard stale <= known else {
                throw RotationError(
                    .incomplete,
                    "\(store.place): \(stale - known) secrets are still counted under older generations and none was found; run: keyroll doctor"
                )
            }
        }
    }

    /// The journal to go on with: an unfinished one of the same ring and target, else a new one.
    private func journal(
        _ job: String, _ mark: GenerationMark, _ authenticator: Authenticator
    ) throws -> (journal: RewrapJournal, resumed: Bool, ignored: Bool) {
        let fresh = RewrapJournal(job: job, group: store.group, target: mark, started: Timestamp.now)
        guard !options.isDryRun, let stored = try store.openJournal() else { return (fresh, false, false) }
        guard let known = try RewrapJournal(stored, authenticator) else { return (fresh, false, true) }
        // Another target is no fault: a newer generation was activated before the run was finished.
        guard known.kind == .rewrap, known.group == store.group, known.target == mark else {
            return (fresh, false, false)
        }
        return (known, true, false)
    }

    private func pass(
        _ journal: inout RewrapJournal, key: Keyring.Key, mark: GenerationMark, _ authenticator: Authenticator,
        isFirst: Bool, _ outcome: inout Outcome
    ) throws {
        let store = store
        let control = control
        let options = options
        let keys = KeySource(keeper)
        // Small batches for a small rate, so that pacing is even; at most 256 pages (1 MiB), which a commit holds the
        // writers' turn for a few milliseconds.
        let capacity = options.maximumRate.map { min(256, max(1, $0 / 20 / store.slotsPerPage)) } ?? 256
        let batches = (0..<(options.workers + 3)).map { _ in
            PageBatch(slotsPerPage: store.slotsPerPage, capacity: capacity)
        }
        let committer = options.isDryRun ? nil : try store.pageCommitter()
        let start = journal.cursor
        let pagesWanted = Atomic(capacity)
        let stages = try Pipeline<PageBatch>.run(
            batches, workers: options.workers, control: control,
            reader: {
                let reader = try store.pageReader()
                var pacer = Pacer(options.maximumRate)
                var last = start
                return { batch in
                    batch.reset()
                    batch.pagesWanted = pagesWanted.load(ordering: .relaxed)
                    try reader.read(into: batch, after: last)
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
                        next.add(batch, tally, countsCurrent: isFirst)
                        return try next.record(authenticator, isFinished: false)
                    }
                    journal = next
                } else {
                    journal.add(batch, .wouldBe(batch), countsCurrent: isFirst)
                }
                // Each failure is named in the quarantine, which takes longer than a move: smaller batches give the
                // writers' turn back in time.
                let isFailing = batch.failures.count > 256
                pagesWanted.store(isFailing ? min(capacity, 8) : capacity, ordering: .relaxed)
                outcome.handled += batch.scanned
                control.add(batch.scanned)
            })
        outcome.stages += stages
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

    /// From the start again, for what is left; failures are met again and counted then.
    fileprivate mutating func beginAnotherPass() {
        cursor = 0
        tally.scanned -= tally.failed.total
        tally.failed = FailureCounts()
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
