import Custody
import Files
import KeyManagement
import Testing

/// The retire gate: each obstacle alone closes it, and only what costs no secret can be overridden.
@Suite struct RetireGateTests {
    private static let now = Rings.day(100)

    private func obstacles(
        _ ring: Ring, number: UInt32 = 1, now: Timestamp = now, _ change: (inout RetireGate.Facts) -> Void = { _ in }
    ) -> [RetireGate.Obstacle] {
        var facts = RetireGate.Facts()
        change(&facts)
        return RetireGate(number, ring, facts, now: now).obstacles
    }

    @Test func nothingInTheWay() throws {
        #expect(obstacles(try Rings.retirable()).isEmpty)
        #expect(obstacles(try Rings.retirable(compromised: true)).isEmpty)
    }

    @Test func eachObstacleAlone() throws {
        let ring = try Rings.retirable()
        #expect(obstacles(ring) { $0.unfenced = ["/store"] } == [.unfenced("/store")])
        #expect(obstacles(ring) { $0.unfenced = ["/a", "/b"] } == [.unfenced("/a"), .unfenced("/b")])
        #expect(obstacles(ring) { $0.liveBefore = 1 } == [.live(1)])
        #expect(obstacles(ring) { $0.liveAfter = 1 } == [.live(1)])
        #expect(
            obstacles(ring) {
                $0.liveBefore = 2
                $0.liveAfter = 5
            } == [.live(5)])
        #expect(obstacles(ring) { $0.quarantined = 3 } == [.quarantined(3)])
        #expect(obstacles(ring) { $0.bundleFault = "damaged" } == [.bundle("damaged")])
        #expect(obstacles(try Rings.retirable(proven: false)) == [.noProvenRecipient])
        #expect(
            obstacles(try Rings.retirable(Rings.policy(soak: 91 * 86400)))
                == [.soaking(until: Rings.day(101))])
        #expect(obstacles(try Rings.retirable(Rings.policy(keep: 1))) == [.keptByPolicy(1)])
    }

    @Test func allAtOnce() throws {
        let ring = try Rings.retirable(Rings.policy(soak: 91 * 86400, keep: 3), proven: false)
        let found = obstacles(ring) {
            $0.unfenced = ["/store"]
            $0.liveAfter = 1
            $0.quarantined = 1
            $0.bundleFault = "gone"
        }
        #expect(
            found == [
                .unfenced("/store"), .live(1), .quarantined(1), .bundle("gone"), .noProvenRecipient,
                .soaking(until: Rings.day(101)), .keptByPolicy(3),
            ])
        for obstacle in found { #expect(!obstacle.description.isEmpty && !obstacle.description.contains("\n")) }
    }

    @Test func whatCanBeOverridden() {
        let table: [(RetireGate.Obstacle, Bool)] = [
            (.state("active"), false), (.unfenced("/store"), false), (.live(1), false), (.bundle("gone"), false),
            (.noProvenRecipient, false), (.quarantined(1), true), (.soaking(until: nil), true),
            (.soaking(until: Self.now), true), (.keptByPolicy(2), true),
        ]
        for (obstacle, may) in table { #expect(obstacle.canBeOverridden == may, "\(obstacle)") }
    }

    @Test(arguments: [
        (GenerationState.preActivation, "pre-activation"), (.active, "active"), (.destroyed, "destroyed"),
    ]) func otherStates(_ state: GenerationState, _ name: String) throws {
        let ring =
            switch state {
            case .active: try Rings.ring([Rings.generation(1, .active)])
            case .destroyed: try Rings.ring([Rings.generation(1, .destroyed)])
            default: try Rings.ring([Rings.generation(1)])
            }
        // Whatever else is wrong is not said: the state alone decides.
        #expect(obstacles(ring) { $0.liveAfter = 7 } == [.state(name)])
    }

    @Test func archivedOrAbsent() throws {
        var ring = try Rings.retirable()
        #expect(obstacles(ring, number: 9) == [.state("absent")])
        try ring.archive(1, at: Self.now, reason: "empty")
        #expect(obstacles(ring) == [.state("archived")])
    }

    @Test func onlyRecipientsOfItsOwnBundleCount() throws {
        var ring = try Rings.retirable()
        // Proven, but added after the bundle was written.
        try ring.note(Rings.escrow(for: []), of: 1)
        #expect(obstacles(ring) == [.noProvenRecipient])
        let second = try Rings.addRecipient("second", to: &ring, proven: false)
        try ring.note(Rings.escrow(for: [second]), of: 1)
        #expect(obstacles(ring) == [.noProvenRecipient])
        try ring.challenge("second", expecting: [5])
        try ring.prove("second", answer: [5], at: Self.now)
        #expect(obstacles(ring).isEmpty)
    }

    @Test func soakTime() throws {
        var ring = try Rings.retirable(Rings.policy(soak: 7 * 86400))
        #expect(obstacles(ring, now: Rings.day(17)).isEmpty)
        #expect(obstacles(ring, now: Rings.day(17) + -1) == [.soaking(until: Rings.day(17))])
        #expect(obstacles(ring, now: Rings.day(0)) == [.soaking(until: Rings.day(17))], "a clock set back")
        try ring.noteEmpty(1, since: nil)
        #expect(obstacles(ring) == [.soaking(until: nil)])
        ring.adopt(Rings.policy(soak: 0))
        #expect(obstacles(ring).isEmpty)
    }

    @Test func keptByPolicy() throws {
        var generations = try (1...4).map { try Rings.generation($0, .active, .deactivated) }
        generations.append(try Rings.generation(5, .active))
        var ring = try Rings.ring(generations)
        let fingerprint = try Rings.addRecipient("recovery", to: &ring, proven: true)
        for number: UInt32 in 1...5 { try ring.note(Rings.escrow(for: [fingerprint]), of: number) }
        func kept(_ count: Int) -> [UInt32] {
            ring.adopt(Rings.policy(keep: count))
            return (1...4).filter { obstacles(ring, number: $0).contains(.keptByPolicy(count)) }
        }
        #expect(kept(0) == [] && kept(1) == [4] && kept(2) == [3, 4] && kept(4) == [1, 2, 3, 4])
        #expect(kept(9) == [1, 2, 3, 4])
        // A compromised one is none of those that are kept, and is not kept itself.
        try ring.compromise(4, occurred: nil, found: Self.now, reason: "stolen")
        #expect(kept(1) == [3] && kept(2) == [2, 3])
        // Neither does an archived one count.
        ring.adopt(Rings.policy())
        try ring.archive(3, at: Self.now, reason: "empty")
        #expect(kept(1) == [2])
    }

    @Test func dueByCountersAndPolicy() throws {
        var generations = try (1...3).map { try Rings.generation($0, .active, .deactivated) }
        generations.append(try Rings.generation(4, .active, .deactivated, .compromised))
        generations.append(try Rings.generation(5, .active))
        generations.append(try Rings.generation(6))
        var ring = try Rings.ring(generations)
        func due(_ policy: Policy = Rings.policy(), live: [UInt32: Int64] = [:]) -> [UInt32] {
            RetireGate.due(ring, policy, live: { live[$0, default: 0] }, now: Self.now)
        }
        #expect(due() == [1, 2, 3, 4])
        #expect(due(live: [1: 3, 4: 1]) == [2, 3])
        // Accepted losses may make the counters go below.
        #expect(due(live: [1: -2]) == [1, 2, 3, 4])
        #expect(due(Rings.policy(keep: 2)) == [1, 4])
        #expect(due(Rings.policy(soak: 86400)) == [])
        try ring.noteEmpty(2, since: Rings.day(99))
        #expect(due(Rings.policy(soak: 86400)) == [2])
        #expect(due(Rings.policy(soak: 86401)) == [])
        try ring.archive(1, at: Self.now, reason: "empty")
        #expect(due() == [2, 3, 4])
    }
}
