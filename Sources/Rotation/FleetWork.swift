import Cryptography
import Files
import Glibc
public import KeyManagement
import Protection
public import SecretStores

/// One worker's part in jobs that a fleet shares: claims ranges and rewraps them, until all are done.
public struct FleetWork {
    /// What a worker did.
    public struct Outcome: Sendable {
        /// What became of the secrets that this worker committed.
        public var tally = RunTally()
        /// The secrets it handled.
        public var handled = 0
        /// Ranges whose end it reached.
        public var ranges = 0
        /// Ranges that others took over while it was held up.
        public var lost = 0
        /// How long each stage was busy.
        public var stages = StageTimes()
        /// Whether somebody asked for an end before all was done.
        public var wasInterrupted = false
    }

    private let stores: [any FleetStore]
    private let keeper: RingKeeper
    private let options: RunOptions
    private let control: RunControl
    private let worker: FleetWorkerName
    private let lease: Int64
    /// For how long a server may be away before the worker gives up, in seconds.
    private let patience: Double
    /// How long a worker waits that finds nothing to claim, in microseconds: at first, and at last.
    private static let shortestPause: UInt32 = 5_000
    private static let longestPause: UInt32 = 200_000

    /// - Parameters:
    ///   - stores: the stores that have the job.
    ///   - keeper: the ring.
    ///   - options: crypto workers of this process and its rate.
    ///   - control: stop and progress.
    ///   - worker: who this is.
    ///   - lease: for how many seconds a claim holds, 2 or more.
    ///   - patience: for how many seconds a server may be away.
    public init(
        _ stores: [any FleetStore], keeper: RingKeeper, options: RunOptions, control: RunControl,
        worker: FleetWorkerName, lease: Int64 = 30, patience: Double = 120
    ) {
        // Each begins with another store, so that a fleet has all servers busy, and not one after another.
        let first = stores.isEmpty ? 0 : Int(worker.process.magnitude) % stores.count
        self.stores = Array(stores[first...] + stores[..<first])
        self.keeper = keeper
        self.options = options
        self.control = control
        self.worker = worker
        self.lease = max(2, lease)
        self.patience = patience
    }

    /// Works until no range is left that somebody still has to do.
    ///
    /// - Parameters:
    ///   - job: the job.
    ///   - isAway: whether an error says that a server does not answer, so that it is worth another try.
    /// - Throws: ``RotationError`` with `forgedJob` or `otherTarget`, or what a store or the key repository throws.
    public func run(_ job: String, isAway: (any Error) -> Bool) throws -> Outcome {
        let perPage = stores.map(\.slotsPerPage).max() ?? 0
        if let rate = options.maximumRate, Int64(rate) * lease < Int64(3 * perPage) {
            throw RotationError(
                .leaseTooShort,
                "a page of \(perPage) secrets takes longer than a lease of \(lease) s allows at \(rate) a second; use a longer --lease or a higher --max-rate"
            )
        }
        var outcome = Outcome()
        var heard = Pacer.now()
        var isEnlisted = false
        var pause = Self.shortestPause
        while !control.isStopping {
            do {
                if !isEnlisted {
                    for store in stores { try store.enlist(worker, job: job) }
                    isEnlisted = true
                }
                let handled = outcome.handled
                let isThrough = try takeTurn(job, &outcome)
                heard = Pacer.now()
                if isThrough { return outcome }
                // Others hold what is left: most likely for a moment; but if one of them dies, its range is free only once
                // the lease lapses, and nobody asks the server a hundred times a second until then.
                if outcome.handled == handled {
                    usleep(pause)
                    pause = min(pause * 2, Self.longestPause)
                } else {
                    pause = Self.shortestPause
                }
            } catch  where isAway(error) && Pacer.now() - heard < patience {
                usleep(500_000)
            }
        }
        outcome.wasInterrupted = true
        return outcome
    }

    /// Does one range, if there is one.
    ///
    /// - Returns: whether all ranges of all stores are done.
    private func takeTurn(_ job: String, _ outcome: inout Outcome) throws -> Bool {
        for store in stores {
            guard let mark = try target(of: job, store), let claim = try store.claim(job, worker: worker, lease: lease)
            else { continue }
            do { try work(claim, mark, store, &outcome) } catch let error as StoreError {
                guard error.code == .claimLost else { throw error }
                // Another worker goes on where this one's last commit was.
                outcome.lost += 1
            }
            return false
        }
        return try stores.allSatisfy { store in
            guard let state = try store.fleetJob(job) else { return true }
            return state.isFinished || state.isThrough
        }
    }

    /// The generation that a job moves to: what its record says, which has to be authentic, and the active one.
    ///
    /// - Returns: nil where the job is over.
    private func target(of job: String, _ store: any FleetStore) throws -> GenerationMark? {
        guard let found = try store.fleetJob(job) else {
            throw RotationError(.noSuchJob, "\(store.place): there is no job \(job); see: keyroll status")
        }
        guard !found.isFinished else { return nil }
        guard let known = try RewrapJournal(found.record, keeper.keyring.journalAuthenticator()),
            known.group == store.group
        else {
            throw RotationError(
                .forgedJob,
                "\(store.place): the record of job \(job) is not authentic; begin anew: keyroll rotate --fleet")
        }
        var active = try keeper.keyring.active().generation
        if GenerationMark(active) != known.target { active = try keeper.reload().active().generation }
        guard GenerationMark(active) == known.target else {
            throw RotationError(
                .otherTarget,
                "job \(job) moves to generation \(known.target.number), but \(active.number) is active: it is over; begin anew: keyroll rotate --fleet"
            )
        }
        return known.target
    }

    private func work(
        _ claim: RangeClaim, _ mark: GenerationMark, _ store: any FleetStore, _ outcome: inout Outcome
    ) throws {
        let authenticator = try keeper.keyring.journalAuthenticator()
        var journal = RewrapJournal(job: claim.job, group: store.group, target: mark, started: .now)
        journal.cursor = claim.after
        // What an earlier worker wrote; a forged one is left aside, and the range begins anew.
        if let record = claim.journal, let known = try RewrapJournal(record, authenticator),
            known.group == store.group, known.target == mark, known.cursor >= claim.after,
            known.cursor <= claim.through, known.range == claim.number
        {
            journal = known
            journal.resumed += 1
        }
        journal.range = claim.number
        let before = journal.tally
        let pass = RewrapPass(
            store: store, keeper: keeper, options: options, control: control, key: try keeper.keyring.active().key,
            mark: mark, through: claim.through)
        let committer = try store.pageCommitter(for: claim)
        defer { outcome.tally += journal.tally.without(before) }
        outcome.stages += try pass.run(&journal, with: committer, countsCurrent: true) { outcome.handled += $0 }
        if control.isStopping {
            try store.release(claim)
        } else {
            try store.complete(claim, journal.record(authenticator, isFinished: false))
            outcome.ranges += 1
        }
    }
}

/// What all workers of a job did in one store, from what they wrote.
public enum FleetTally {
    /// - Throws: ``RotationError`` with `forgedJob` where a range's journal is not authentic.
    public static func of(_ job: FleetJob, keeper: RingKeeper) throws -> RunTally {
        let authenticator = try keeper.keyring.journalAuthenticator()
        return try job.ranges.reduce(into: RunTally()) { sum, range in
            guard let record = range.journal else { return }
            guard let journal = try RewrapJournal(record, authenticator), journal.range == range.number else {
                throw RotationError(
                    .forgedJob, "the journal of range \(range.number) of job \(record.job) is not authentic")
            }
            sum += journal.tally
        }
    }
}
