import Evidence
import Files
public import Home
import KeyManagement
public import Rotation
import SecretStores

/// A worker of a job that a fleet shares: any number of them, on any host that has the home's configuration and root key.
///
/// Whoever finds that nothing is left takes the job's lock and does what must happen once.
public struct WorkJob {
    private let home: Home
    private let job: String
    private let lease: Int64
    private let options: RunOptions
    private let control: RunControl

    /// - Parameters:
    ///   - home: the home.
    ///   - job: the job's identity.
    ///   - lease: for how many seconds a claim holds without a commit.
    ///   - options: crypto workers of this process and its rate.
    ///   - control: stop and progress.
    public init(_ home: Home, job: String, lease: Int64, options: RunOptions, control: RunControl) {
        self.home = home
        self.job = job
        self.lease = lease
        self.options = options
        self.control = control
    }

    /// Works.
    ///
    /// - Throws: `RotationError` with `noSuchJob`, `forgedJob` or `otherTarget`, or what a store throws.
    public func run() throws -> JobReport {
        let start = ContinuousClock.now
        var report = JobReport(job: job, kind: "work")
        report.nameUnreachable(home)
        let shared = SharedRotation(home, lease: lease, options: options, control: control)
        let known = try home.stores.compactMap { $0 as? any FleetStore }.filter { try $0.fleetJob(job) != nil }
        guard !known.isEmpty else {
            throw RotationError(.noSuchJob, "no store that can be reached has a job \(job); see: keyroll status")
        }
        let worker = try FleetWorkerName.own()
        let sharing = try known.filter { try shared.has(job, $0) }
        let outcome = try shared.part(of: sharing, in: job, as: worker)
        report.add(outcome, of: job)
        report.stages = outcome.stages
        report.wasInterrupted = outcome.wasInterrupted
        report.notes.append(
            "\(outcome.ranges) ranges done\(outcome.lost == 0 ? "" : ", \(outcome.lost) lost to other workers")")
        if !outcome.wasInterrupted { try end(shared, worker, &report) }
        report.generation = home.keeper.keyring.ring.active?.number ?? 0
        report.end(control, options, since: start)
        return report
    }

    /// The end of the whole job, if it falls to this worker; its report is the job's own and lies under `reports/`.
    private func end(_ shared: SharedRotation, _ worker: FleetWorkerName, _ report: inout JobReport) throws {
        // What retires a generation writes its bundle: where the bundles are, and not on any host that lent a hand.
        guard home.keepsBundles else {
            report.notes.append("the end of the job is left to keyroll rotate in the home that has the bundles")
            return
        }
        let lock: OwnerLock
        do { lock = try home.lock(for: "keyroll work") } catch let busy as OwnerLock.Busy {
            report.notes.append("the end of the job is left to whoever holds the home: \(busy)")
            return
        }
        defer { withExtendedLifetime(lock) {} }
        let start = ContinuousClock.now
        var whole = JobReport(job: job, kind: "rotate")
        guard try home.stores.contains(where: { try shared.has(job, $0) }), try shared.end(job, as: worker, &whole)
        else { return }
        whole.generation = home.keeper.keyring.ring.active?.number ?? 0
        whole.wasInterrupted = control.isStopping
        try whole.record(in: home, as: job)
        if !control.isStopping, home.unreachable.isEmpty { try Settlement(home, control: control).run(&whole, job) }
        for store in home.stores { try whole.nameQuarantined(of: store) }
        whole.end(control, options, since: start)
        whole.log(home)
        try whole.noteEvidence(of: home)
        try ReportFile.write(whole, home.layout)
        report.notes.append(
            "ended job \(job): \(whole.tally.scanned) scanned, \(whole.tally.moved) moved, \(whole.tally.current) current, \(whole.tally.superseded) superseded, \(whole.tally.failed.total) failed"
        )
        report.notes += whole.notes
        report.faults = whole.faults
        report.retired = whole.retired
        report.rehearsed = whole.rehearsed
        report.needsAttention = report.needsAttention || whole.needsAttention || whole.tally.failed.total > 0
    }
}
