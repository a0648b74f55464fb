import Files
import KeyManagement
import Testing

/// A generation that somebody else may have.
@Suite struct CompromiseTests {
    private let store: KeyStore

    init() throws { store = try KeyStore() }

    @Test func whenItHappenedIsKept() throws {
        let keeper = try store.create(rolls: 3)
        try keeper.update {
            try $0.compromise(1, occurred: .moment(-5), found: .moment(50), reason: "a laptop was stolen")
            try $0.compromise(2, occurred: nil, found: .moment(51), reason: "to be sure")
        }
        let ring = try store.open().keyring.ring
        let first = try #require(ring.generation(1)?.history.last)
        #expect(first.state == .compromised && first.at == .moment(50) && first.occurred == .moment(-5))
        #expect(first.reason == "a laptop was stolen" && first.sequence == ring.sequence)
        #expect(ring.generation(2)?.state == .compromised && ring.generation(2)?.history.last?.occurred == nil)
        #expect(ring.states == [1: .compromised, 2: .compromised, 3: .active])
        // It still opens what it protected: that is how its secrets are rescued.
        #expect(try store.open().keyBytes(1) == keeper.keyBytes(1))
    }

    @Test func theActiveOneHasToBeFollowedFirst() throws {
        var ring = try store.create(rolls: 2).keyring.ring
        let before = ring
        #expect(code { try ring.compromise(2, occurred: nil, found: .now, reason: "") } == .transitionRefused)
        #expect(code { try ring.compromise(9, occurred: nil, found: .now, reason: "") } == .noSuchGeneration)
        let unchanged = ring == before
        #expect(unchanged)
    }

    @Test func markingTwiceChangesNothing() throws {
        var ring = try store.create(rolls: 2).keyring.ring
        try ring.compromise(1, occurred: .moment(1), found: .moment(2), reason: "first")
        let before = ring
        try ring.compromise(1, occurred: .moment(3), found: .moment(4), reason: "second")
        let unchanged = ring == before
        #expect(unchanged)
    }
}
