import Custody
import Evidence
public import Files
public import Home
import KeyManagement
import Protection
public import Rotation
import SecretStores

/// The job after a compromise: a new generation, the old ones marked, and everything that they may have exposed
/// encrypted anew under new data keys.
public struct ReencryptJob {
    private let home: Home
    private let options: RunOptions
    private let control: RunControl
    private let compromised: [UInt32]
    private let occurred: Timestamp?
    private let reason: String

    /// - Parameters:
    ///   - home: the home.
    ///   - compromised: generation numbers: exactly these are marked.
    ///   - occurred: when it happened, as far as is known.
    ///   - reason: why it is believed.
    ///   - options: workers, rate, dry run.
    ///   - control: stop and progress.
    public init(
        _ home: Home, compromised: [UInt32], occurred: Timestamp?, reason: String, options: RunOptions,
        control: RunControl
    ) {
        self.home = home
        self.compromised = Set(compromised).sorted()
        self.occurred = occurred
        self.reason = reason
        self.options = options
        self.control = control
    }

    /// Marks, rolls, and encrypts anew.
    ///
    /// - Throws: `OwnerLock.Busy`, `KeyManagementError` with `noSuchGeneration`, `RotationError`, or what a store or the
    ///   key repository throws.
    public func run() throws -> JobReport {
        try home.logging("reencrypt", isDryRun: options.isDryRun, perform)
    }

    private func perform() throws -> JobReport {
        let lock = options.isDryRun ? nil : try home.lock(for: "keyroll reencrypt")
        defer { withExtendedLifetime(lock) {} }
        let start = ContinuousClock.now
        var report = JobReport(job: try JobIdentity.new("reencrypt"), kind: "reencrypt")
        report.isDryRun = options.isDryRun
        // With the lock the ring was read anew.
        if lock == nil { try home.keeper.reload() }
        report.notes += home.keeper.repaired
        if lock != nil { report.notes += try UnreportedRuns(home).record() }
        for number in compromised where home.keeper.keyring.ring.generation(number) == nil {
            throw KeyManagementError(
                .noSuchGeneration,
                "group \(home.keeper.keyring.ring.name) has no generation \(number); see: keyroll generation list")
        }
        // Before anything is made: a destroyed one has nothing left to protect.
        for number in compromised {
            guard let generation = home.keeper.keyring.ring.generation(number),
                generation.state != .compromised, generation.state != .active,
                !generation.state.successors.contains(.compromised)
            else { continue }
            throw KeyManagementError(
                .transitionRefused,
                "generation \(number) is \(generation.state.rawValue) and cannot become compromised")
        }
        let mustRoll = !isMarked(home.keeper.keyring.ring)
        if mustRoll {
            report.plan = [
                "make a new generation, escrow it in a verified bundle and activate it", "mark as compromised: \(list)",
            ]
        }
        report.plan.append("encrypt anew what they may have exposed")
        let ownJob = report.job
        let evidence = EvidenceChain(path: home.layout.evidence)
        var round = StoreRound(home)
        var exposed: [String: Int64] = [:]
        if !options.isDryRun {
            // After a compromise nothing is refused for want of room: how many secrets were exposed is known in the end only.
            report.notes += try JobRoom.of(home) { .contents(try mayBeExposed($0)) }.warnings(of: "a re-encryption")
            try evidence.append(
                "plan", job: ownJob,
                [
                    "steps": .list(report.plan), "compromised": .list(compromised.map(String.init)),
                    "reason": .text(reason), "occurred": .text(occurred?.description ?? "not known"),
                ])
            if mustRoll {
                try mark()
                // The bundles then say so, too, in case the ring is lost; one that cannot be written is noted.
                report.notes += try Archiving(home, job: ownJob).write(
                    compromised.filter { home.keeper.keyring.ring.generation($0)?.destruction == nil })
            }
            if let active = home.keeper.keyring.ring.active {
                try round.each { store in
                    if try store.marks().fence < active.number { try store.raiseFence(to: GenerationMark(active)) }
                }
            }
        }
        try round.each { store in
            guard !control.isStopping else { return }
            let outcome = try ReencryptRun(
                store, keeper: home.keeper, compromised: compromised, options: options, control: control
            ).run(job: report.job)
            report.add(outcome, store, of: home)
            exposed[store.place] = Int64(outcome.tally.moved)
        }
        let reached = round.home
        if options.isDryRun { report.notes += try JobRoom.of(home) { .contents(exposed[$0.place] ?? 0) }.lines }
        report.nameUnreachable(reached)
        report.generation = home.keeper.keyring.ring.active?.number ?? 0
        report.end(control, options, since: start)
        for store in reached.stores { try report.nameQuarantined(of: store) }
        report.notes += whatRemains()
        // What lies in a store that could not be reached is as exposed as before.
        if !options.isDryRun, !report.wasInterrupted, reached.unreachable.isEmpty {
            try home.keeper.update { ring in
                for number in compromised { try ring.noteReencryption(of: number, at: .now) }
            }
        }
        if !options.isDryRun { try report.record(in: home, as: ownJob) }
        report.isKept = true
        return report
    }

    /// Whatever a generation that is as new as a compromised one protects; fewer where secrets were made later.
    private func mayBeExposed(_ store: any SecretStore) throws -> Int64 {
        let first = compromised.first ?? 0
        return try store.census().counts.reduce(0) { $1.key >= first ? $0 + $1.value : $0 }
    }

    private var list: String { compromised.map(String.init).joined(separator: ", ") }

    /// Whether an earlier attempt has marked all of them and a newer generation protects since.
    private func isMarked(_ ring: Ring) -> Bool {
        guard let active = ring.active, let activated = active.history.last(where: { $0.state == .active }) else {
            return false
        }
        return compromised.allSatisfy { number in
            guard let mark = ring.generation(number)?.history.last(where: { $0.state == .compromised }) else {
                return false
            }
            return mark.sequence <= activated.sequence && number != active.number
        }
    }

    /// One change of the ring: at no instant does a compromised generation protect, or none at all.
    private func mark() throws {
        let why = "generation \(list) compromised"
        // One that an attempt cut off here has published will do; one that is older may have been stolen along.
        let published = home.keeper.keyring.ring.candidate.flatMap { $0.history.first?.reason == why ? $0.number : nil }
        let number = try published ?? home.publish(reason: why)
        // One that was cut off between its publication and its bundle.
        if home.keeper.keyring.ring.generation(number)?.escrow == nil { try home.escrow(number) }
        try home.keeper.update { ring in
            try ring.activate(number, at: .now, reason: why)
            for old in compromised {
                try ring.compromise(old, occurred: occurred, found: .now, reason: reason)
            }
        }
    }

    /// What no re-encryption takes back: every copy of the stolen keys' secrets that keyroll knows of, and the rest.
    private func whatRemains() -> [String] {
        let ring = home.keeper.keyring.ring
        var lines: [String] = []
        for copy in ring.copies where compromised.contains(where: { copy.needs($0, at: .now) }) {
            let until = copy.keepUntil.map { "kept until \($0)" } ?? "kept for ever"
            lines.append(
                "the \(copy.kind) copy \(copy.identity) at \(copy.place) (of \(copy.at), \(until)) may hold secrets that generation \(list) opens: destroy it, then run keyroll backup forget \(copy.identity)"
            )
        }
        for number in compromised {
            guard let escrow = ring.generation(number)?.escrow else { continue }
            let names = ring.recipients.filter { escrow.recipients.contains($0.fingerprint) }.map(\.name)
            lines.append(
                "the bundle \(escrow.file) holds generation \(number); it opens with: \(names.joined(separator: ", "))")
        }
        return lines + [
            "who has generation \(list) and a copy of a store from before this run still reads what that copy holds",
            "change the credentials themselves: they may have been read while the generation was exposed",
            "run keyroll rotate to move what the other older generations protect",
        ]
    }
}
