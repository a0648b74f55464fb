import Files
import SecretStores
import Testing

/// A secret is on the list from the run that could not move it until it is moved, written anew or deleted.
@Suite struct QuarantineTests {
    /// Three secrets of generation 1 of which the second one cannot be moved to 2.
    private func run(_ kind: StoreKind, _ body: (Fixture, SlotPlace) throws -> Void) throws {
        try kind.run { fixture in
            try fixture.store.put(["a", "b", "c"].map { Entry($0) })
            try fixture.store.raiseFence(to: .test(2))
            let place = try #require(try fixture.place("b"))
            let tally = try fixture.move(to: 2, job: "first", failing: [place: .integrityCheckFailed])
            #expect(tally.moved == 2 && tally.failed[.integrityCheckFailed] == 1)
            try body(fixture, place)
        }
    }

    @Test(arguments: StoreKind.all)
    func whatIsListed(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            let store = fixture.store
            let entry = try #require(try store.quarantine().first)
            #expect(try store.quarantine().count == 1)
            #expect(entry.name == "b" && entry.place == place && entry.generation == 1 && entry.job == "first")
            #expect(entry.reason == .integrityCheckFailed && entry.accepted == nil)
            #expect(abs(Timestamp.now - entry.firstSeen) < 60 && entry.firstSeen == entry.lastSeen)
            #expect(try store.quarantineCount(except: 2) == 1)
            #expect(try store.quarantineCount(except: 1) == 0)
            #expect(try fixture.slots()[place] == Entry("b").slot)
            #expect(try store.census().counts == [1: 1, 2: 2])
        }
    }

    @Test(arguments: StoreKind.all, FailureReason.allCases)
    func everyReason(kind: StoreKind, reason: FailureReason) throws {
        try run(kind) { fixture, place in
            let tally = try fixture.move(to: 2, job: "second", failing: [place: reason])
            #expect(tally.failed[reason] == 1 && tally.failed.total == 1)
            let entry = try #require(try fixture.store.quarantine().first)
            #expect(entry.reason == reason && entry.job == "second")
            #expect(entry.lastSeen.rawValue >= entry.firstSeen.rawValue)
            #expect(try fixture.store.quarantine().count == 1)
        }
    }

    @Test(arguments: StoreKind.all)
    func aMoveEndsIt(kind: StoreKind) throws {
        try run(kind) { fixture, _ in
            let tally = try fixture.move(to: 2)
            #expect(tally.moved == 1)
            #expect(try fixture.store.quarantine().isEmpty)
            #expect(try fixture.store.census().counts == [2: 3])
        }
    }

    @Test(arguments: StoreKind.all)
    func aNewVersionEndsIt(kind: StoreKind) throws {
        try run(kind) { fixture, _ in
            try fixture.store.put([Entry("b", generation: 2)])
            #expect(try fixture.store.quarantine().isEmpty)
        }
    }

    @Test(arguments: StoreKind.all)
    func aNewNameEndsIt(kind: StoreKind) throws {
        try run(kind) { fixture, _ in
            try fixture.store.rename([0x62], to: Entry("d", generation: 2))
            #expect(try fixture.store.quarantine().isEmpty)
        }
    }

    @Test(arguments: StoreKind.all)
    func deletingEndsIt(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            try fixture.store.remove("b")
            #expect(try fixture.store.quarantine().isEmpty)
            // Nor does the next one in that place inherit it.
            try fixture.store.put([Entry("new", generation: 2)])
            #expect(try fixture.place("new") == place)
            #expect(try fixture.store.quarantine().isEmpty)
        }
    }

    /// One that was changed between reading and committing has not failed.
    @Test(arguments: StoreKind.all)
    func changedOnesAreNotListed(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            let new = Entry("b", generation: 2, seed: 4)
            let tally = try fixture.move(to: 2, failing: [place: .integrityCheckFailed]) {
                try fixture.store.put([new])
            }
            #expect(tally.superseded == 1 && tally.failed.total == 0)
            #expect(try fixture.store.quarantine().isEmpty)
            #expect(try fixture.store.entry("b") == new)
        }
    }

    @Test(arguments: StoreKind.all)
    func accepting(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            let store = fixture.store
            #expect(try !store.acceptQuarantined("a", reason: "?"))
            #expect(try store.acceptQuarantined("b", reason: "nobody needs it"))
            #expect(try store.quarantine().map(\.accepted) == ["nobody needs it"])
            // The same failure again leaves it accepted; another one does not.
            try fixture.move(to: 2, failing: [place: .integrityCheckFailed])
            #expect(try store.quarantine().map(\.accepted) == ["nobody needs it"])
            try fixture.move(to: 2, failing: [place: .keyAbsent])
            #expect(try store.quarantine().map(\.accepted) == [nil])
        }
    }

    @Test(arguments: StoreKind.all)
    func clearing(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            let store = fixture.store
            try store.clearQuarantine()
            #expect(try store.quarantine().isEmpty)
            try fixture.move(to: 2, failing: [place: .keyAbsent])
            #expect(try store.acceptQuarantined("b", reason: "lost"))
            try store.clearQuarantine()
            #expect(try store.quarantine().count == 1)
        }
    }

    /// A slot that no content belongs to has its place for a name.
    @Test(arguments: StoreKind.all)
    func slotsWithoutContent(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            try fixture.damage(.lostContent(name: "b"))
            try fixture.move(to: 2, failing: [place: .malformed])
            #expect(
                try fixture.store.quarantine().map(\.name) == [
                    "(no content: key page \(place.page), slot \(place.slot))"
                ])
        }
    }

    @Test func countsByReason() {
        var counts = FailureCounts()
        for (number, reason) in FailureReason.allCases.enumerated() { counts[reason] = number + 1 }
        #expect(counts.total == 10)
        var twice = counts
        twice += counts
        #expect(FailureReason.allCases.map { twice[$0] } == [2, 4, 6, 8])
        #expect(twice != counts && FailureCounts() == FailureCounts())
    }
}
