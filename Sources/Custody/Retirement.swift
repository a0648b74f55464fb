import Archives
import Cryptography
import Evidence
public import Files
public import Home

import KeyManagement
import Protection
import SecretStores

/// Takes generations off line once the gate lets them through: fence, count, barrier, count again on new connections,
/// bundle, off line.
public struct Retirement {
    private let home: Home
    private let evidence: EvidenceChain
    private let job: String

    /// - Parameters:
    ///   - home: the home; the caller holds its run lock.
    ///   - job: the job's identity, for the evidence.
    public init(_ home: Home, job: String) {
        self.home = home
        self.job = job
        evidence = EvidenceChain(path: home.layout.evidence)
    }

    /// Notes since when nothing live needs a generation, or that something does again, by the counters. While a store
    /// cannot be counted only the latter is certain.
    public func noteEmpty(at now: Timestamp) throws {
        let ring = home.keeper.keyring.ring
        let live = try liveByCounters()
        let changes = ring.generations.filter {
            ($0.state == .deactivated || $0.state == .compromised) && !$0.isArchived
                && (live($0.number) <= 0) != ($0.emptySince != nil)
                && ($0.emptySince != nil || home.unreachable.isEmpty)
        }
        guard !changes.isEmpty, home.mayRetire else { return }
        try home.keeper.update { ring in
            for generation in changes {
                try ring.noteEmpty(generation.number, since: generation.emptySince == nil ? now : nil)
            }
        }
    }

    /// The generations that counters and policy would let go; none while a store cannot be counted.
    public func due(at now: Timestamp) throws -> [UInt32] {
        guard home.unreachable.isEmpty, home.mayRetire else { return [] }
        return try RetireGate.due(home.keeper.keyring.ring, home.configuration.policy, live: liveByCounters(), now: now)
    }

    private func liveByCounters() throws -> (UInt32) -> Int64 {
        let census = try home.stores.map { try $0.census() }.reduce(Census(), +)
        let accepted = try QuarantineView(home.stores, home.keeper.keyring.ring).accepted
        return { census[$0] - accepted[$0, default: 0] }
    }

    /// Retires a generation, or says what stands in the way; whatever it finds is in the evidence.
    ///
    /// - Parameters:
    ///   - number: the generation.
    ///   - reason: why, for the history.
    ///   - override: why obstacles that can be overridden are; nil to heed all of them.
    /// - Returns: what stood in the way; empty where it was taken off line.
    public func retire(_ number: UInt32, reason: String, override: String?) throws -> [RetireGate.Obstacle] {
        let ring = home.keeper.keyring.ring
        guard let generation = ring.generation(number) else {
            throw KeyManagementError(
                .noSuchGeneration, "group \(ring.name) has no generation \(number); see: keyroll generation list")
        }
        guard home.mayRetire else {
            throw CustodyError(
                .refused,
                "this home has not the evidence that the ring speaks of: another host runs this group's jobs and knows its stores; retire there"
            )
        }
        // The other states are refused before anything is looked at.
        let early = RetireGate(number, ring, .init(), now: .now).obstacles
        if early.contains(where: { if case .state = $0 { true } else { false } }) { return early }
        var facts = RetireGate.Facts()
        guard let active = ring.active else {
            return [.unfenced("no generation is active, so that no store")]
        }
        // Not fenced and not counted: whoever reaches them may still write under it.
        facts.unfenced = home.unreachable.map { "store '\($0.name)' at \($0.place) cannot be reached and" }
        for store in home.stores { try store.raiseFence(to: GenerationMark(active)) }
        var accepted: Int64 = 0
        for store in home.stores { facts.liveBefore += try store.slots(of: number).live }
        for store in home.stores {
            try store.barrier()
            let again = try store.reopened()
            let count = try again.slots(of: number)
            facts.liveAfter += count.live
            facts.quarantined += count.quarantined
            accepted += count.accepted
            if try again.marks().fence != active.number { facts.unfenced.append(store.place) }
        }
        // A slot that names no generation of this ring could be any one's.
        facts.quarantined += try QuarantineView(home.stores, ring).unknown
        let now = Timestamp.now
        try evidence.append(
            "census", job: job,
            [
                "generation": .number(Int64(number)), "fence": .number(Int64(active.number)),
                "liveBeforeBarrier": .number(facts.liveBefore), "liveAfterBarrier": .number(facts.liveAfter),
                "quarantined": .number(facts.quarantined), "acceptedAsLost": .number(accepted),
            ])
        let needing = ring.copies(needing: number, at: now)
        // The bundle is written anew, for the recipients of today and with the census, only if nothing else stands in
        // the way; it has to be there and right before anything is taken away.
        if blocking(RetireGate(number, ring, facts, now: now).obstacles.filter { $0 != .noProvenRecipient }, override)
            .isEmpty
        {
            do {
                try home.escrow(
                    number,
                    census: .init(
                        at: now, live: facts.liveAfter, quarantined: facts.quarantined,
                        copies: needing.reduce(0) { $0 + ($1.secrets?[number] ?? 0) }))
                try Archiving(home, job: job).record([number])
            } catch let error as ArchiveError { facts.bundleFault = "\(error)" }
        }
        let obstacles = RetireGate(number, home.keeper.keyring.ring, facts, now: now).obstacles
        let left = blocking(obstacles, override)
        guard left.isEmpty else {
            try evidence.append(
                "retirement", job: job,
                [
                    "generation": .number(Int64(number)), "decision": .text("stays on line"),
                    "obstacles": .list(left.map(\.description)),
                ])
            return left
        }
        let why = override.map { "\(reason); override: \($0)" } ?? reason
        // Before the ring changes: where that is cut off, the next run decides and records anew.
        try evidence.append(
            "retirement", job: job,
            [
                "generation": .number(Int64(number)), "identity": .text(generation.identity.description),
                "decision": .text("off line"), "reason": .text(why),
                "overridden": .list(obstacles.map(\.description)),
                "provenRecipients": .list(home.keeper.keyring.ring.provenRecipients(of: generation).map(\.name)),
            ])
        try home.keeper.update { try $0.archive(number, at: now, reason: why) }
        return []
    }

    private func blocking(_ obstacles: [RetireGate.Obstacle], _ override: String?) -> [RetireGate.Obstacle] {
        override == nil ? obstacles : obstacles.filter { !$0.canBeOverridden }
    }
}
