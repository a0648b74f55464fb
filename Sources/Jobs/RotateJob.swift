import Custody
import Evidence
import Files
public import Home
import KeyManagement
import Logging
import Protection
public import Rotation
import SecretStores

/// The scheduled job: rolls if that is due, raises the fence, rewraps, retires, archives and rehearses.
///
/// Every step can be cut off anywhere: the next run finds out where things stand and goes on.
public struct RotateJob {
    private var home: Home
    private let options: RunOptions
    private let control: RunControl
    private let isForced: Bool
    private let retriesQuarantined: Bool
    private let fleet: FleetOptions?
    private let logger = Logger(label: "keyroll.rotate")

    /// - Parameters:
    ///   - home: the home.
    ///   - isForced: roll although nothing is due.
    ///   - retriesQuarantined: forget the quarantine first, so that all of it is looked at again.
    ///   - fleet: share the work with workers in other processes, where stores can; nil to do it alone, unless there is
    ///     such a job already.
    ///   - options: workers, rate, dry run.
    ///   - control: stop and progress.
    public init(
        _ home: Home, isForced: Bool, retriesQuarantined: Bool = false, fleet: FleetOptions? = nil, options: RunOptions,
        control: RunControl
    ) {
        self.home = home
        self.fleet = fleet
        self.retriesQuarantined = retriesQuarantined
        self.isForced = isForced
        self.options = options
        self.control = control
    }

    /// Plans, and does it.
    ///
    /// - Throws: `OwnerLock.Busy`, `RotationError`, or what a store or the key repository throws.
    public func run() throws -> JobReport {
        try home.logging("rotate", isDryRun: options.isDryRun, perform)
    }

    private func perform() throws -> JobReport {
        let lock = options.isDryRun ? nil : try home.lock(for: "keyroll rotate")
        defer { withExtendedLifetime(lock) {} }
        let start = ContinuousClock.now
        var report = JobReport(job: try JobIdentity.new("rotate"), kind: "rotate")
        let ownJob = report.job
        report.isDryRun = options.isDryRun
        // With the lock the ring was read anew.
        if lock == nil { try home.keeper.reload() }
        report.notes += home.keeper.repaired
        if lock != nil { report.notes += try UnreportedRuns(home).record() }
        if retriesQuarantined, !options.isDryRun {
            let active = home.keeper.keyring.ring.active?.number ?? 0
            try JobRoom.of(home) { .slots(try $0.census().stale(except: active)) }.require(for: "a rotation")
            for store in home.stores { try store.clearQuarantine() }
        }

        let plan = try plan()
        report.plan = plan.lines
        let needsRoom = plan.steps.contains { if case .wait = $0 { false } else { true } }
        let room = needsRoom ? try room(for: plan) : nil
        if options.isDryRun {
            report.notes += room?.lines ?? []
            try rehearse(plan, &report)
        } else {
            try room?.require(for: "a rotation")
            try takeOverPolicy()
            let evidence = EvidenceChain(path: home.layout.evidence)
            if !plan.isEmpty { try evidence.append("plan", job: ownJob, ["steps": .list(plan.lines)]) }
            var next = home.keeper.keyring.ring.candidate?.number
            let activates = plan.steps.contains { if case .activate = $0 { true } else { false } }
            for step in plan.steps {
                try perform(step, activates: activates, &next, &report, ownJob)
                logger.info("\(step)")
            }
            var round = StoreRound(home)
            // Also without a roll: an earlier run may have been cut off between activation and fence.
            try round.each(raiseFence)
            // The plan was made before the fence rose; what counts is what is there now.
            let shared = SharedRotation(
                round.home, lease: fleet?.lease ?? FleetOptions.usualLease, options: options, control: control)
            let job = try shared.job(planning: fleet == nil ? nil : ownJob)
            try round.each { store in
                let isDue = try isWork(store) || hasOpenRun(store)
                if try !control.isStopping && isDue && !shared.has(job, store) { try rewrap(store, &report) }
            }
            if job == nil, !control.isStopping { try? shared.endOld() }
            if let job, fleet?.isDetached == true {
                report.detach(job)
            } else if let job, !control.isStopping {
                try shared.work(job, &report)
            }
            return try with(round.home).finish(report, ownJob, since: start)
        }
        return try finish(report, ownJob, since: start)
    }

    private func with(_ home: Home) -> Self {
        var job = self
        job.home = home
        return job
    }

    /// What follows once every store that is still there was gone through.
    private func finish(
        _ report: JobReport, _ ownJob: String, since start: ContinuousClock.Instant
    ) throws -> JobReport {
        var report = report
        report.nameUnreachable(home)
        if !options.isDryRun {
            // A stop before the first batch leaves work behind, too.
            if control.isStopping, try home.stores.contains(where: isWork) { report.wasInterrupted = true }
            if report.tally.scanned > 0 {
                try report.record(in: home, as: ownJob)
            }
            if !control.isStopping, !report.isDetached { try Settlement(home, control: control).run(&report, ownJob) }
        }
        report.generation = home.keeper.keyring.ring.active?.number ?? 0
        report.end(control, options, since: start)
        for store in home.stores { try report.nameQuarantined(of: store) }
        for store in home.stores {
            for (number, count) in try home.archived(store).sorted(by: { $0.key < $1.key }) {
                report.notes.append(
                    "\(store.place): \(count) secrets are under generation \(number), which is archived; run: keyroll archive restore --generation \(number)"
                )
            }
        }
        report.isKept = true
        return report
    }

    private func room(for plan: RotationPlan) throws -> DiskRoom {
        let rolls = plan.steps.contains { if case .activate = $0 { true } else { false } }
        return try JobRoom.of(home) { .slots(rolls ? try $0.census().total : try home.movable($0)) }
    }

    private func plan() throws -> RotationPlan {
        let ring = home.keeper.keyring.ring
        let stale = try home.stores.reduce(0) { try $0 + home.movable($1) }
        let policy = home.configuration.policy
        return RotationPlan(
            ring: ring, policy: policy, stale: stale,
            retirable: try Retirement(home, job: "plan").due(at: .now),
            rehearsals: Rehearsal.due(ring, policy, now: .now), now: .now, isForced: isForced)
    }

    private func takeOverPolicy() throws {
        let wished = home.configuration.policy
        guard home.keeper.keyring.ring.policy != wished else { return }
        try home.keeper.update { $0.adopt(wished) }
    }

    /// - Parameter next: the generation that was planned to be activated.
    private func perform(
        _ step: RotationPlan.Step, activates: Bool, _ next: inout UInt32?, _ report: inout JobReport,
        _ job: String
    ) throws {
        switch step {
        case .archive(let numbers):
            let faults = try Archiving(home, job: job).write(numbers)
            report.needsAttention = report.needsAttention || !faults.isEmpty
            report.notes += faults
        case .publish(let reason):
            let number = try home.publish(reason: reason, activates: activates)
            try Archiving(home, job: job).record([number])
            next = number
        case .activate(let reason):
            guard let number = next, home.keeper.keyring.ring.active?.number != number else { return }
            try home.keeper.update { try $0.activate(number, at: .now, reason: reason) }
        case .wait, .rewrap, .retire, .rehearse: break
        }
    }

    private func raiseFence(_ store: any SecretStore) throws {
        guard let active = home.keeper.keyring.ring.active, try store.marks().fence < active.number else { return }
        try store.raiseFence(to: GenerationMark(active))
    }

    private func isWork(_ store: any SecretStore) throws -> Bool { try home.movable(store) > 0 }

    /// Whether a run to the active generation was cut off behind its last batch: it has its end to come, and its record.
    private func hasOpenRun(_ store: any SecretStore) throws -> Bool {
        guard let stored = try store.openJournal(), let active = home.keeper.keyring.ring.active else { return false }
        let journal = try RewrapJournal(stored, home.keeper.keyring.journalAuthenticator())
        return journal?.kind == .rewrap && journal?.group == store.group && journal?.target == GenerationMark(active)
    }

    private func rewrap(_ store: any SecretStore, _ report: inout JobReport) throws {
        let run = RewrapRun(store, keeper: home.keeper, options: options, control: control)
        let outcome = try run.run(job: report.job)
        report.add(outcome, store, of: home)
    }

    /// What a dry run can find out without a new generation: what the pipeline would do with the slots as they are.
    private func rehearse(_ plan: RotationPlan, _ report: inout JobReport) throws {
        guard plan.steps.contains(.rewrap) else { return }
        let rolls = plan.steps.contains { if case .activate = $0 { true } else { false } }
        for store in home.stores {
            let run = RewrapRun(store, keeper: home.keeper, options: options, control: control)
            let outcome = rolls ? try run.rehearseRoll(job: report.job) : try run.run(job: report.job)
            report.add(outcome, store, of: home)
        }
    }
}
