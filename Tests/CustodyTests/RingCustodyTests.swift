import Cryptography
import Files
import KeyManagement
import Testing

/// What a ring records of bundles, recipients, copies, restorations and destructions.
@Suite struct RingCustodyTests {
    private let now = Rings.day(100)

    /// Generations in each state, all with a bundle: 1 deactivated, 2 compromised, 3 destroyed, 4 active, 5 published.
    private func everyState() throws -> Ring {
        try Rings.ring([
            Rings.generation(1, .active, .deactivated), Rings.generation(2, .active, .deactivated, .compromised),
            Rings.generation(3, .active, .deactivated, .destroyed), Rings.generation(4, .active), Rings.generation(5),
        ])
    }

    @Test func archiving() throws {
        var ring = try everyState()
        for number: UInt32 in [3, 4, 5] {
            #expect(code { try ring.archive(number, at: now, reason: "") } == .transitionRefused)
        }
        #expect(code { try ring.archive(9, at: now, reason: "") } == .noSuchGeneration)
        for number: UInt32 in [1, 2] {
            let state = ring.generation(number)?.state
            #expect(ring.generation(number)?.sealed != nil)
            try ring.archive(number, at: now, reason: "empty")
            let generation = try #require(ring.generation(number))
            #expect(generation.isArchived && generation.sealed == nil && generation.restoration == nil)
            #expect(generation.archived?.at == now && generation.archived?.reason == "empty")
            #expect(generation.state == state && generation.escrow != nil, "a flag beside the state")
        }
    }

    @Test func withoutABundleNothingIsArchivedOrActivated() throws {
        var bare = [try Rings.generation(1, .active, .deactivated), try Rings.generation(2)]
        for index in bare.indices { bare[index].escrow = nil }
        var ring = try Rings.ring(bare)
        #expect(code { try ring.archive(1, at: now, reason: "") } == .transitionRefused)
        #expect(code { try ring.activate(2, at: now, reason: "") } == .transitionRefused)
        #expect(ring.generation(1)?.sealed != nil)
        for number: UInt32 in [1, 2] { try ring.note(Rings.escrow(), of: number) }
        try ring.archive(1, at: now, reason: "")
        try ring.activate(2, at: now, reason: "")
    }

    @Test func asksForDestruction() throws {
        let due = Rings.day(190)
        var ring = try everyState()
        func request(_ number: UInt32) -> KeyManagementError.Code? {
            code { try ring.requestDestruction(number, at: now, due: due, reason: "why") }
        }
        // On line, active, destroyed already, not there.
        #expect(
            [1, 2, 3, 4].map { request($0) } == [
                .transitionRefused, .transitionRefused, .transitionRefused, .transitionRefused,
            ])
        #expect(request(9) == .noSuchGeneration)
        try ring.archive(1, at: now, reason: "")
        #expect(request(1) == nil && request(1) == .exists)
        let destruction = try #require(ring.generation(1)?.destruction)
        #expect(destruction.requested == now && destruction.due == due && destruction.reason == "why")
        #expect(ring.generation(1)?.state == .deactivated)
        try ring.cancelDestruction(1)
        #expect(ring.generation(1)?.destruction == nil)
        #expect(code { try ring.cancelDestruction(1) } == .transitionRefused)
        #expect(request(1) == nil)
        try ring.move(1, to: .destroyed, at: due, reason: "why")
        #expect(code { try ring.cancelDestruction(1) } == .transitionRefused)
        #expect(ring.generation(1)?.state == .destroyed && ring.generation(1)?.history.last?.reason == "why")
        // One that never was active protects nothing; it stays on line until then, and is not activated.
        #expect(request(5) == nil && ring.generation(5)?.sealed != nil)
        #expect(ring.pending == nil && ring.candidate == nil)
        #expect(code { try ring.activate(5, at: now, reason: "") } == .transitionRefused)
        try ring.cancelDestruction(5)
        #expect(ring.candidate?.number == 5)
    }

    @Test func askingForDestructionEndsARestoration() throws {
        var first = try Rings.generation(1, .active, .deactivated)
        first.restoration = Restoration(since: now, until: now + 60, reason: "why", boot: .now())
        var ring = try Rings.ring([first])
        #expect(ring.generation(1)?.isArchived == true && ring.generation(1)?.sealed != nil)
        try ring.requestDestruction(1, at: now, due: now, reason: "why")
        #expect(ring.generation(1)?.restoration == nil && ring.generation(1)?.sealed == nil)
    }

    @Test func endsARestoration() throws {
        var first = try Rings.generation(1, .active, .deactivated)
        first.restoration = Restoration(since: now, until: now + 60, reason: "why", boot: .now())
        var ring = try Rings.ring([first, Rings.generation(2, .active)])
        try ring.endRestoration(1)
        #expect(ring.generation(1)?.restoration == nil && ring.generation(1)?.sealed == nil)
        // One that was not restored keeps its key.
        try ring.endRestoration(2)
        #expect(ring.generation(2)?.sealed != nil)
        #expect(code { try ring.endRestoration(9) } == .noSuchGeneration)
    }

    @Test func recipientsAndChallenges() throws {
        var ring = try everyState()
        try Rings.addRecipient("alice", to: &ring, proven: false)
        #expect(code { try Rings.addRecipient("alice", to: &ring, proven: false) } == .exists)
        var same = try #require(ring.recipients.first { $0.name == "alice" })
        same.name = "alice under another name"
        #expect(code { try ring.add(same) } == .exists)
        #expect(code { try ring.challenge("bob", expecting: [1]) } == .noSuchRecipient)
        #expect(code { try ring.prove("bob", answer: [1], at: now) } == .noSuchRecipient)
        #expect(code { try ring.prove("alice", answer: [1], at: now) } == .challengeFailed, "no challenge yet")
        try ring.challenge("alice", expecting: [1, 2])
        #expect(code { try ring.prove("alice", answer: [1], at: now) } == .challengeFailed)
        #expect(code { try ring.prove("alice", answer: [], at: now) } == .challengeFailed)
        #expect(ring.provenRecipients.isEmpty)
        try ring.prove("alice", answer: [1, 2], at: now)
        #expect(ring.provenRecipients.map(\.name) == ["alice"] && ring.provenRecipients.first?.proven == now)
        // An answer counts once.
        #expect(code { try ring.prove("alice", answer: [1, 2], at: now) } == .challengeFailed)
        #expect(ring.provenRecipients.map(\.name) == ["alice"])
    }

    @Test func copies() throws {
        var ring = try everyState()
        let (first, second) = (try Rings.copy([1: 5]), try Rings.copy(nil, keepUntil: Rings.day(101)))
        ring.register(first)
        ring.register(second)
        #expect(ring.copies(needing: 1, at: now).count == 2 && ring.copies(needing: 4, at: now) == [second])
        #expect(ring.copies(needing: 4, at: Rings.day(102)).isEmpty)
        // The same identity once more takes its place.
        var changed = first
        changed.secrets = [4: 1]
        ring.register(changed)
        #expect(ring.copies.count == 2 && ring.copies(needing: 1, at: Rings.day(102)).isEmpty)
        try ring.forget(first.identity)
        #expect(ring.copies == [second])
        #expect(code { try ring.forget(first.identity) } == .noSuchCopy)
    }
}
