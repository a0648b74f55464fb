import Files
import KeyManagement
import Testing

/// One generation protects, never two and never none once there was one.
@Suite struct ActivationTests {
    private let store: KeyStore

    init() throws { store = try KeyStore() }

    private func ring(published: Int) throws -> Ring { try store.create(published: published).keyring.ring }

    @Test func oneAfterTheOther() throws {
        var ring = try ring(published: 5)
        #expect(ring.active == nil)
        for number in 1...5 as ClosedRange<UInt32> {
            try ring.activate(number, at: .moment(Int(number)), reason: "due")
            #expect(ring.activeNumbers == [number])
            #expect(ring.active?.number == number)
        }
        #expect(ring.states == [1: .deactivated, 2: .deactivated, 3: .deactivated, 4: .deactivated, 5: .active])
        #expect(ring.generation(4)?.history.last?.reason.contains("5") == true)
        #expect(ring.pending == nil)
    }

    /// What was published in between stays as it is.
    @Test func skippingOne() throws {
        var ring = try ring(published: 3)
        try ring.activate(1, at: .now, reason: "")
        try ring.activate(3, at: .now, reason: "")
        #expect(ring.states == [1: .deactivated, 2: .preActivation, 3: .active])
        #expect(ring.pending?.number == 2 && ring.candidate == nil && ring.highestActivated == 3)
        // The fence only rises.
        let before = ring
        #expect(code { try ring.activate(2, at: .now, reason: "") } == .transitionRefused)
        let unchanged = ring == before
        #expect(unchanged)
    }

    /// Also where the newer one is active no longer: the stores' fences stand at its number, and a lower one could
    /// protect nowhere.
    @Test func anOlderOneIsNotActivatedAfterACompromise() throws {
        var ring = try ring(published: 3)
        try ring.activate(1, at: .now, reason: "")
        try ring.activate(3, at: .now, reason: "")
        try ring.move(3, to: .compromised, at: .now, reason: "leaked")
        let before = ring
        #expect(code { try ring.activate(2, at: .now, reason: "") } == .transitionRefused)
        let unchanged = ring == before
        #expect(unchanged)
    }

    @Test func onlyPublishedOnes() throws {
        var ring = try ring(published: 4)
        try ring.activate(1, at: .now, reason: "")
        try ring.activate(2, at: .now, reason: "")
        try ring.move(3, to: .compromised, at: .now, reason: "")
        try ring.move(4, to: .destroyed, at: .now, reason: "")
        let before = ring
        for number in 1...4 as ClosedRange<UInt32> {
            #expect(code { try ring.activate(number, at: .now, reason: "") } == .transitionRefused)
            let unchanged = ring == before
            #expect(unchanged)
        }
    }

    @Test func movingMakesNoSecondActiveOne() throws {
        var ring = try ring(published: 2)
        try ring.move(1, to: .active, at: .now, reason: "")
        let before = ring
        #expect(code { try ring.move(2, to: .active, at: .now, reason: "") } == .transitionRefused)
        let unchanged = ring == before
        #expect(unchanged)
        // After a compromise there is none, and the next one comes up.
        try ring.move(1, to: .compromised, at: .now, reason: "leaked")
        #expect(ring.active == nil)
        try ring.activate(2, at: .now, reason: "")
        #expect(ring.states == [1: .compromised, 2: .active])
    }

    @Test func withoutAnActiveOneNothingProtects() throws {
        let keeper = try store.create(published: 1)
        #expect(code { _ = try keeper.keyring.active() } == .noActiveGeneration)
        try keeper.update { try $0.activate(1, at: .now, reason: "") }
        #expect(try keeper.keyring.active().generation.number == 1)
    }

    @Test(arguments: [(0, 0, 1), (0, 7, 8), (3, 0, 4), (3, 2, 4), (3, 3, 4), (3, 9, 10)] as [(Int, UInt32, UInt32)])
    func nextNumberIsAboveAllThatWasSeen(published: Int, seen: UInt32, next: UInt32) throws {
        #expect(try ring(published: published).nextNumber(above: seen) == next)
    }
}
