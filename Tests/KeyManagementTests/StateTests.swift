import Files
import KeyManagement
import Testing

/// The states of NIST SP 800-57 part 1 revision 5, section 7, and what may follow what.
@Suite struct StateTests {
    private let store: KeyStore

    init() throws { store = try KeyStore() }

    /// Section 7.2; an active generation is never destroyed directly, since its contents still need it.
    private static let permitted: [GenerationState: Set<GenerationState>] = [
        .preActivation: [.active, .compromised, .destroyed],
        .active: [.deactivated, .compromised],
        .deactivated: [.compromised, .destroyed],
        .compromised: [.destroyed],
        .destroyed: [],
    ]

    /// How a new generation gets there.
    private static let ways: [GenerationState: [GenerationState]] = [
        .preActivation: [], .active: [.active], .deactivated: [.active, .deactivated], .compromised: [.compromised],
        .destroyed: [.destroyed],
    ]

    @Test func allStatesStandInTheTables() {
        #expect(GenerationState.allCases.count == 5)
        #expect(Set(Self.permitted.keys) == Set(GenerationState.allCases))
        for state in GenerationState.allCases { #expect(state.successors == Self.permitted[state]) }
    }

    /// All 25 pairs, through the ring.
    @Test func everyTransition() throws {
        let keeper = try store.create(published: 1)
        var tried = 0
        for from in GenerationState.allCases {
            var ring = keeper.keyring.ring
            for state in Self.ways[from]! { try ring.move(1, to: state, at: .moment(1), reason: "on the way") }
            #expect(ring.generation(1)?.state == from)
            for to in GenerationState.allCases {
                tried += 1
                var changed = ring
                let refusal = code { try changed.move(1, to: to, at: .moment(2), reason: "tried") }
                if Self.permitted[from]!.contains(to) {
                    #expect(refusal == nil, "\(from) to \(to)")
                    #expect(changed.generation(1)?.state == to)
                    #expect(changed.generation(1)?.history.last?.reason == "tried")
                    #expect(changed.generation(1)?.history.last?.at == .moment(2))
                    #expect(changed.generation(1)?.history.count == Self.ways[from]!.count + 2)
                } else {
                    #expect(refusal == .transitionRefused, "\(from) to \(to)")
                    let unchanged = changed == ring
                    #expect(unchanged, "\(from) to \(to)")
                }
            }
        }
        #expect(tried == 25)
    }

    @Test(arguments: [
        (GenerationState.preActivation, false, false), (.active, true, true), (.deactivated, false, true),
        (.compromised, false, true), (.destroyed, false, false),
    ])
    func whatAStateAllows(state: GenerationState, protects: Bool, unprotects: Bool) {
        #expect(state.mayProtect == protects)
        #expect(state.mayUnprotect == unprotects)
    }

    @Test func destroyingForgetsTheKey() throws {
        var ring = try store.create(published: 2).keyring.ring
        #expect(ring.generation(1)?.sealed?.count == 60)
        try ring.move(1, to: .destroyed, at: .moment(3), reason: "retention is over")
        #expect(ring.generation(1)?.sealed == nil)
        #expect(ring.generation(1)?.checkValue.count == 8)
        #expect(ring.generation(2)?.sealed?.count == 60)
    }

    @Test func otherNumbersAreNoGenerations() throws {
        var ring = try store.create(published: 1).keyring.ring
        for number in [0, 2, .max] as [UInt32] {
            #expect(code { try ring.move(number, to: .active, at: .now, reason: "") } == .noSuchGeneration)
            #expect(code { try ring.activate(number, at: .now, reason: "") } == .noSuchGeneration)
        }
    }

    @Test func datesComeFromTheHistory() throws {
        var ring = try store.create(published: 1).keyring.ring
        try ring.activate(1, at: .moment(10), reason: "first")
        try ring.move(1, to: .compromised, at: .moment(20), reason: "leaked")
        let generation = try #require(ring.generation(1))
        #expect(generation.created == .moment(0))
        #expect(generation.since(.active) == .moment(10))
        #expect(generation.since(.compromised) == .moment(20))
        #expect(generation.since(.deactivated) == nil)
        #expect(generation.history.map(\.reason) == ["published for a test", "first", "leaked"])
    }
}
