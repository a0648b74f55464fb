import Custody
import Audit
import Evidence
public import Home
import KeyManagement
public import Rotation
import SecretStores

/// Copies a store into a new one, or brings an earlier copy up to the source as it is now.
///
/// Applications go on meanwhile. A new target becomes one of the home's stores at the end, behind the source, when all
/// is in it and was compared and opened: until then nobody knows it, and a copy that is cut off is taken up again.
public struct StoreCopyJob {
    private let home: Home
    private let options: RunOptions
    private let control: RunControl
    /// Passes that copy what changed during the one before.
    private static let passes = 5

    /// - Parameters:
    ///   - home: the home.
    ///   - options: workers for the verification.
    ///   - control: stop and progress.
    public init(_ home: Home, options: RunOptions, control: RunControl) {
        self.home = home
        self.options = options
        self.control = control
    }

    /// Copies into a store that is not one of the home's yet.
    ///
    /// - Parameters:
    ///   - name: the source's name.
    ///   - entry: the target; it is made, or an earlier attempt is taken up.
    /// - Throws: `OwnerLock.Busy`, `CustodyError` with `exists`, `usage` or `refused`, `HomeError`, or what a store
    ///   throws; the target is not in use then.
    public func copy(_ name: String, to entry: HomeConfiguration.Store) throws -> StoreCopyReport {
        try running(name, entry.name) { source, report in
            let mark = try StoreEntry.active(home)
            try StoreEntry.check(entry, home)
            let target = try target(entry)
            report.place = target.place
            let run = CopyRun(source, to: target, control: control)
            for _ in 0..<Self.passes where !control.isStopping {
                let pass = try run.pass(.adopt)
                report.copied += pass.written
                if pass.written == 0 { break }
            }
            guard !control.isStopping else { return }
            report.removed = try run.removeStrays()
            try verify(target, &report)
            guard !control.isStopping else { return }
            try compare(run, &report)
            guard !control.isStopping else { return }
            // From here on it is a store like any other: where that is cut off in between, store add takes it.
            try target.raiseFence(to: mark)
            try HomeConfiguration.change(home.layout) { configuration in
                let index = configuration.stores.firstIndex { $0.name == name } ?? configuration.stores.count - 1
                configuration.stores.insert(entry, at: index + 1)
            }
        }
    }

    /// Writes what changed in the source into an earlier copy that is in use. Secrets that an older generation wraps
    /// are left: a rotation moves them first.
    ///
    /// - Parameters:
    ///   - name: the source's name.
    ///   - targetName: the copy's name.
    public func update(_ name: String, to targetName: String) throws -> StoreCopyReport {
        try running(name, targetName) { source, report in
            let target = try home.store(named: targetName)
            guard target.place != source.place else {
                throw CustodyError(.usage, "'\(name)' and '\(targetName)' are one and the same store")
            }
            report.place = target.place
            let mark = try StoreEntry.active(home)
            let run = CopyRun(source, to: target, control: control)
            report.copied = try run.pass(.write(mark)).written
            guard !control.isStopping else { return }
            try verify(target, &report)
            try compare(run, &report)
            let extra = try run.strays(atMost: 100)
            report.extra = extra.count
            if let example = extra.names.first {
                report.notes.append(
                    "\(extra.count) secrets of '\(targetName)' are not in '\(name)', such as '\(example)': deleted or renamed there since, or written to '\(targetName)' alone; keyroll rm removes them"
                )
            }
        }
    }

    private func running(
        _ name: String, _ target: String, _ body: (any SecretStore, inout StoreCopyReport) throws -> Void
    ) throws -> StoreCopyReport {
        let lock = try home.lock(for: "keyroll store copy")
        defer { withExtendedLifetime(lock) {} }
        let clock = ContinuousClock()
        let start = clock.now
        var report = StoreCopyReport(job: try JobIdentity.new("store-copy"), source: name, target: target)
        try body(home.store(named: name), &report)
        report.wasInterrupted = control.isStopping
        report.seconds = start.duration(to: clock.now).inSeconds
        try EvidenceChain(path: home.layout.evidence).append(
            "store", job: report.job,
            [
                "action": .text(report.wasInterrupted ? "copy cut off" : "copied"), "source": .text(name),
                "store": .text(target), "place": .text(report.place), "secrets": .number(Int64(report.secrets)),
                "same": .number(Int64(report.same)), "changed": .number(Int64(report.changed)),
                "unreadable": .number(Int64(report.unreadable.count)), "closed": .number(Int64(report.closedCount)),
            ])
        // Other hosts of the group know from this which home it is that knows all its stores.
        try? home.noteEvidence()
        let isDone = !report.wasInterrupted && report.unreadable.isEmpty
        try home.logJob(
            "store-copy", report.job, isDone ? .done : .failed,
            facts: [
                ("source", .text(name)), ("store", .text(target)), ("secrets", .number(Int64(report.secrets))),
                ("same", .number(Int64(report.same))), ("changed", .number(Int64(report.changed))),
                ("unreadable", .number(Int64(report.unreadable.count))),
            ])
        return report
    }

    /// A new store, or what an earlier attempt left: nobody protects in that one.
    private func target(_ entry: HomeConfiguration.Store) throws -> any SecretStore {
        guard let present = try StoreEntry.present(entry, home) else {
            return try StoreKinds.create(entry, home.layout, group: home.keeper.keyring.ring.group)
        }
        guard try present.marks().fence == 0 else {
            throw CustodyError(
                .exists,
                "\(present.place): is a store that is or was in use; choose another place, or add it as it is with keyroll store add"
            )
        }
        return present
    }

    /// The bytes of every secret, read from both.
    private func compare(_ run: CopyRun, _ report: inout StoreCopyReport) throws {
        let pass = try run.pass(.compare)
        report.secrets = pass.scanned
        report.same = pass.same
        report.changed = pass.different
        report.unreadable = pass.unreadable
    }

    /// Counters and slots agree, and every secret opens from the target alone.
    private func verify(_ target: any SecretStore, _ report: inout StoreCopyReport) throws {
        guard try target.census() == target.recount() else {
            throw StoreError(
                .damaged,
                "\(target.place): the counters do not agree with the slots after the copy; run: keyroll doctor")
        }
        let outcome = try VerifyRun(target, keeper: home.keeper, options: options, control: control).run()
        report.closed = outcome.faults
        report.closedCount = outcome.tally.failed.total
    }
}
