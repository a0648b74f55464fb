import SecretStores
import Testing

/// Rows that contradict each other are found and named.
@Suite struct InspectionTests {
    private func run(_ kind: StoreKind, _ body: (Fixture, SlotPlace) throws -> Void) throws {
        try kind.run { fixture in
            try fixture.store.put((0..<200).map { Entry("name \($0)") })
            try fixture.store.remove("name 50")
            try body(fixture, try #require(try fixture.place("name 100")))
        }
    }

    @Test(arguments: StoreKind.all)
    func aGoodStore(kind: StoreKind) throws {
        try run(kind) { fixture, _ in
            let findings = try fixture.store.inspect(limit: 10)
            #expect(findings == [])
        }
    }

    @Test(arguments: StoreKind.all)
    func aWrongNumberOfFreeSlots(kind: StoreKind) throws {
        try run(kind) { fixture, _ in
            try fixture.damage(.freeSlots(page: 1, 7))
            let findings = try fixture.store.inspect(limit: 10)
            #expect(findings.count == 1 && findings[0].contains("key page 1"))
        }
    }

    /// A generation of 0 with a wrapped key behind it.
    @Test(arguments: StoreKind.all)
    func aHalfClearedSlot(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            let bytes = [0, 0, 0, 0] + Entry("name 100").slot[4...]
            try fixture.damage(.slot(place, bytes, slotsPerPage: fixture.store.slotsPerPage))
            let findings = try fixture.store.inspect(limit: 10)
            #expect(findings.contains { $0.contains("slot \(place.slot)") })
            #expect(try fixture.store.inspect(limit: 1).count == 1)
        }
    }

    /// A page that says it has room and has none is passed over, and named.
    @Test(arguments: StoreKind.all)
    func aFullPageThatSaysOtherwise(kind: StoreKind) throws {
        try run(kind) { fixture, _ in
            try fixture.store.put([Entry("instead of 50")])
            try fixture.damage(.freeSlots(page: 1, 5))
            let entries = (0..<200).map { Entry("new \($0)") }
            try fixture.store.put(entries)
            for entry in entries { #expect(try fixture.store.entry(entry.name) == entry) }
            #expect(try fixture.store.entry("name 0") == Entry("name 0"))
            #expect(try fixture.store.names().count == 400)
            #expect(try fixture.store.recount() == fixture.store.census())
            #expect(try fixture.store.inspect(limit: 10).count == (kind.mendsRoom ? 0 : 1))
        }
    }

    /// A slot that was cleared from outside while its content stayed: neither is given to another secret.
    @Test(arguments: StoreKind.all)
    func aClearedSlotIsNotGivenOut(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            try fixture.clear("name 100")
            try fixture.damage(.freeSlots(page: place.page, 1))
            let entries = (0..<200).map { Entry("new \($0)") }
            try fixture.store.put(entries)
            for entry in entries { #expect(try fixture.store.entry(entry.name) == entry) }
            #expect(try fixture.place("name 100") == place)
            #expect(try fixture.store.entry("name 100")?.body == Entry("name 100").body)
            // Written anew, it is a secret like the others.
            try fixture.store.put([Entry("name 100", seed: 1)])
            #expect(try fixture.store.entry("name 100") == Entry("name 100", seed: 1))
            #expect(try fixture.store.recount().total == 399)
        }
    }

    /// Counters that do not agree with the slots are written anew from them.
    @Test(arguments: StoreKind.all)
    func theCensusIsCorrected(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            #expect(try !fixture.store.correctCensus())
            let bytes = Entry.slot(77, wrapped: Array(Entry("name 100").slot[4...]))
            try fixture.damage(.slot(place, bytes, slotsPerPage: fixture.store.slotsPerPage))
            #expect(try fixture.store.correctCensus())
            #expect(try fixture.store.census().counts == [1: 198, 77: 1])
            #expect(try !fixture.store.correctCensus())
        }
    }

    /// A lost page loses its secrets, and nothing is made up for them.
    @Test(arguments: StoreKind.all)
    func aLostPage(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            try fixture.damage(.lostPage(place.page))
            #expect(code { _ = try fixture.store.entry("name 100") } == .damaged)
            #expect(try fixture.store.entry("name 0") == Entry("name 0"))
            #expect(try fixture.store.recount() != fixture.store.census())
        }
    }

    /// A secret whose slot names another generation than the counters have it under.
    @Test(arguments: StoreKind.all)
    func anAlteredGeneration(kind: StoreKind) throws {
        try run(kind) { fixture, place in
            let bytes = Entry.slot(77, wrapped: Array(Entry("name 100").slot[4...]))
            try fixture.damage(.slot(place, bytes, slotsPerPage: fixture.store.slotsPerPage))
            #expect(try fixture.store.secret(named: Array("name 100".utf8))?.generation == 77)
            #expect(try fixture.store.recount().counts == [1: 198, 77: 1])
            #expect(try fixture.store.census().counts == [1: 199])
        }
    }
}
