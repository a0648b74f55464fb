import Cryptography
import Dispatch
import Files
import Glibc
import Home
import KeyManagement
import Protection
import Rotation
import SecretStores

/// The part of a rotation that a fleet of workers shares: its plan in the stores, this process's own part in it, and its
/// end, which belongs to whoever holds the job's lock.
struct SharedRotation {
    private let home: Home
    private let lease: Int64
    private let options: RunOptions
    private let control: RunControl

    init(_ home: Home, lease: Int64, options: RunOptions, control: RunControl) {
        self.home = home
        self.lease = lease
        self.options = options
        self.control = control
    }

    private var stores: [any FleetStore] { home.stores.compactMap { $0 as? any FleetStore } }

    // MARK: Planning

    /// The job that moves to the active generation and is open in some store.
    ///
    /// - Parameter name: what a new one is called; nil to plan none.
    /// - Returns: nil where there is none and none was planned.
    func job(planning name: String?) throws -> String? {
        guard !stores.isEmpty, let active = home.keeper.keyring.ring.active else { return nil }
        let mark = GenerationMark(active)
        let authenticator = try home.keeper.keyring.journalAuthenticator()
        var known: String?
        for store in stores {
            // One that is not authentic, or moves elsewhere, is none; a new plan ends it.
            guard let open = try store.openFleetJob(),
                let record = try RewrapJournal(open.record, authenticator), record.target == mark,
                record.group == store.group
            else { continue }
            known = known ?? open.record.job
        }
        guard let name else { return known }
        let waiting = try stores.filter { store in
            guard try home.movable(store) > 0 else { return false }
            return try known.map { try store.fleetJob($0) == nil } ?? true
        }
        let job = known ?? name
        for store in waiting {
            let former = try store.openFleetJob()?.record.job
            let record = RewrapJournal(job: job, group: store.group, target: mark, started: .now)
            let isPlanned = try store.plan(
                record.record(authenticator, isFinished: false),
                ranges: FleetPlan.ranges(pages: store.pageReader().pageCount()),
                inPlaceOf: former == known ? nil : former)
            guard isPlanned else {
                throw RotationError(
                    .plannedMeanwhile, "another rotation was planned in \(store.place) just now; run it again")
            }
        }
        return waiting.isEmpty && known == nil ? nil : job
    }

    /// Ends jobs that have nothing left to do: those to another generation, or that nobody with this ring planned.
    func endOld() throws {
        for store in stores where try home.movable(store) <= 0 {
            if let open = try store.openFleetJob() { try store.endFleetJob(open.record.job) }
        }
    }

    /// Whether a store's part is the fleet's.
    func has(_ job: String?, _ store: any SecretStore) throws -> Bool {
        guard let job, let shared = store as? any FleetStore else { return false }
        return try shared.fleetJob(job).map { !$0.isFinished } ?? false
    }

    // MARK: Working

    /// Works on it like any worker, and ends it.
    func work(_ job: String, _ report: inout JobReport) throws {
        let sharing = try stores.filter { try has(job, $0) }
        let worker = try FleetWorkerName.own()
        let outcome = try part(of: sharing, in: job, as: worker)
        report.stages = report.stages.adding(outcome.stages)
        guard !outcome.wasInterrupted else {
            report.add(outcome, of: job)
            report.wasInterrupted = true
            return
        }
        // Another worker may be at it; should it die, the job's lock is free once its lease is over.
        while try !end(job, as: worker, &report) {
            guard !control.isStopping else {
                report.wasInterrupted = true
                return
            }
            usleep(300_000)
        }
    }

    /// Claims ranges until none is left.
    func part(of sharing: [any FleetStore], in job: String, as worker: FleetWorkerName) throws -> FleetWork.Outcome {
        let progress = FleetProgress(sharing, job: job, control: control)
        defer { progress.end() }
        return try FleetWork(
            sharing, keeper: home.keeper, options: options, control: RunControl(under: control), worker: worker,
            lease: lease
        ).run(job, isAway: Home.isUnreachable)
    }

    // MARK: Ending

    /// Ends the job in all stores: looks for what is left, counts in the closing transaction.
    ///
    /// - Returns: false where another worker has the job's lock.
    func end(_ job: String, as worker: FleetWorkerName, _ report: inout JobReport) throws -> Bool {
        let sharing = try stores.filter { try has(job, $0) }
        // The first store that has the job keeps its lock.
        guard let keeper = sharing.first else { return true }
        guard try keeper.takeLock(of: job, worker: worker, lease: lease) else { return false }
        let renewal = Renewal(keeper, job, worker, lease)
        defer { renewal.end() }
        // The lock's own store comes last: where this is cut off, whoever takes the lock over finds it still open.
        for store in sharing.reversed() {
            guard let state = try store.fleetJob(job) else { continue }
            var tally = RunTally()
            do { tally = try FleetTally.of(state, keeper: home.keeper) } catch let error as RotationError
                where error.code == .forgedJob
            {
                report.needsAttention = true
                report.notes.append("\(store.place): \(error); what its workers did is not counted here")
            }
            var outcome = try RewrapRun(store, keeper: home.keeper, options: options, control: control).close(
                job: job, tally: tally)
            outcome.handled += tally.scanned
            report.add(outcome, store, of: home)
            if !outcome.wasInterrupted { try store.endFleetJob(job) }
        }
        return true
    }

    /// Renews the job's lock while its holder counts.
    private final class Renewal {
        private let timer: any DispatchSourceTimer

        init(_ store: any FleetStore, _ job: String, _ worker: FleetWorkerName, _ lease: Int64) {
            let made = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "keyroll.lock"))
            made.schedule(
                deadline: .now() + .seconds(Int(max(1, lease / 3))), repeating: .seconds(Int(max(1, lease / 3))))
            made.setEventHandler { _ = try? store.takeLock(of: job, worker: worker, lease: lease) }
            made.activate()
            timer = made
        }

        func end() { timer.cancel() }
    }
}

extension JobReport {
    /// Adds what this process did for a job that others share.
    mutating func add(_ outcome: FleetWork.Outcome, of job: String) {
        self.job = job
        tally = tally.adding(outcome.tally)
        handled += outcome.handled
    }

    /// Says that the job waits for its workers.
    mutating func detach(_ job: String) {
        self.job = job
        isDetached = true
        notes.append("job \(job) is planned; start its workers with: keyroll work --job \(job)")
    }
}
