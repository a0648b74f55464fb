import Cryptography
import Files
import Glibc
public import KeyManagement
import Protection
public import SecretStores

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

    /// What follows when the workers of a fleet have been through all pages: looks for what is left, and ends the job with
    /// the count in the closing transaction.
    ///
    /// - Parameters:
    ///   - job: the fleet's job.
    ///   - tally: what became of the secrets, of all workers together.
    public func close(job: String, tally: RunTally) throws -> Outcome {
        let (active, key) = try keeper.keyring.active()
        let mark = GenerationMark(active)
        var journal = RewrapJournal(job: job, group: store.group, target: mark, started: .now)
        journal.tally = tally
        return try run(journal, resumed: false, ignored: false, mark: mark, key: key, passes: 1)
    }

    private func run(job: String, mark: GenerationMark, key: Keyring.Key) throws -> Outcome {
        var (journal, resumed, ignored) = try journal(job, mark, keeper.keyring.journalAuthenticator())
        if resumed { journal.resumed += 1 }
        return try run(journal, resumed: resumed, ignored: ignored, mark: mark, key: key, passes: 0)
    }

    /// - Parameter passes: how often all pages were gone through already.
    private func run(
        _ journal: RewrapJournal, resumed: Bool, ignored: Bool, mark: GenerationMark, key: Keyring.Key, passes: Int
    ) throws -> Outcome {
        let authenticator = try keeper.keyring.journalAuthenticator()
        var (journal, passes) = (journal, passes)
        let census = try store.census()
        control.begin("rewrap", total: Int(census.total), handled: journal.tally.scanned)
        var outcome = Outcome(
            job: journal.job, tally: journal.tally, handled: 0, stages: StageTimes(), wasResumed: resumed,
            ignoredJournal: ignored)

        var wasHeld = false
        while true {
            if passes > 0 {
                // The cursor only saves time: what counts is that nothing is left. A resumed run, or one beside writers
                // that held an old ring until the fence rose, may have to look again.
                if try leftOver(mark) <= 0 || passes == 3 { break }
                // Counters are not suspected where somebody changed or held what was passed over.
                if wasHeld {
                    usleep(1_000_000)
                } else if passes == 2, try store.correctCensus() {
                    outcome.correctedCensus = true
                    if try leftOver(mark) <= 0 { break }
                }
                journal.beginAnotherPass()
                control.begin("rewrap", total: Int(census.total))
            }
            passes += 1
            let superseded = journal.tally.superseded
            defer { wasHeld = journal.tally.superseded > superseded }
            outcome.stages += try RewrapPass(
                store: store, keeper: keeper, options: options, control: control, key: key, mark: mark
            ).run(
                &journal, with: options.isDryRun ? nil : store.pageCommitter(), countsCurrent: passes == 1
            ) { outcome.handled += $0 }
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
        }
        if !options.isDryRun { try finish(journal, mark, authenticator, wasHeld: wasHeld) }
        outcome.tally = journal.tally
        return outcome
    }

    /// Secrets that are counted under older generations and are not known to be impossible to move.
    private func leftOver(_ mark: GenerationMark) throws -> Int64 {
        try store.census().stale(except: mark.number) - store.quarantineCount(except: mark.number)
    }

    private func finish(
        _ journal: RewrapJournal, _ mark: GenerationMark, _ authenticator: Authenticator, wasHeld: Bool
    ) throws {
        let known = try store.quarantineCount(except: mark.number)
        try store.finish(journal.record(authenticator, isFinished: true)) { census in
            let stale = census.stale(except: mark.number)
            guard stale <= known else {
                throw RotationError(
                    .incomplete,
                    "\(store.place): \(stale - known) secrets are still counted under older generations\(wasHeld ? ": others hold or change them again and again; run it again" : " and none was found; run: keyroll doctor")"
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
}

extension RewrapJournal {
    /// From the start again, for what is left; failures are met again and counted then.
    fileprivate mutating func beginAnotherPass() {
        cursor = 0
        tally.scanned -= tally.failed.total
        tally.failed = FailureCounts()
    }
}
