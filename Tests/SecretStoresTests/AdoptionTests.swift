import Cryptography
import SecretStores
import Testing

/// Secrets of another store, taken over as they are.
@Suite struct AdoptionTests {
    private func marks(_ numbers: UInt32...) -> StoreMarks {
        StoreMarks(fence: numbers.last ?? 0, generations: numbers.map { .test($0) })
    }

    private func adopt(_ entries: [Entry], _ marks: StoreMarks, _ store: any SecretStore) throws {
        try Entry.withPending(entries) { try store.adopt($0, marks: marks) }
    }

    /// Whatever generation wraps them, and whichever they were born under.
    @Test(arguments: StoreKind.all)
    func verbatim(kind: StoreKind) throws {
        try kind.run { fixture in
            var entries = (0..<500).map { Entry("name \($0)", generation: UInt32($0 % 3 + 1), bodyLength: $0) }
            entries.append(Entry("with context", generation: 2, context: Array("context".utf8)))
            // A rewrap left the birth behind.
            entries[7].slot = Entry.slot(3, wrapped: patterned(40, seed: 77))
            entries[7].generation = 1
            try adopt(Array(entries[..<300]), marks(1, 2, 3), fixture.store)
            try adopt(Array(entries[300...]), marks(1, 2, 3), fixture.store)
            for entry in entries { #expect(try fixture.store.entry(entry.name) == entry) }
            let expected = Dictionary(grouping: entries) { $0.slot[3] }.mapValues { Int64($0.count) }
            #expect(try fixture.store.census().counts == [1: expected[1]!, 2: expected[2]!, 3: expected[3]!])
            #expect(try fixture.store.recount() == fixture.store.census())
            #expect(try fixture.store.marks() == StoreMarks(fence: 0, generations: [.test(1), .test(2), .test(3)]))
            #expect(try fixture.store.inspect(limit: 10) == [])
            #expect(try fixture.again().census() == fixture.store.census())
        }
    }

    /// Then it is a store like any other.
    @Test(arguments: StoreKind.all)
    func fencedAfterwards(kind: StoreKind) throws {
        try kind.run { fixture in
            try adopt([Entry("a"), Entry("b", generation: 2)], marks(1, 2), fixture.store)
            try fixture.store.raiseFence(to: .test(2))
            #expect(try fixture.store.marks() == StoreMarks(fence: 2, generations: [.test(1), .test(2)]))
            #expect(code { try fixture.store.put([Entry("c")]) } == .fenced(fence: 2))
            try fixture.store.put([Entry("a", generation: 2, seed: 5), Entry("c", generation: 2)])
            #expect(try fixture.store.census().counts == [2: 3])
        }
    }

    @Test(arguments: StoreKind.all)
    func notWhereSomebodyProtects(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put([Entry("a")])
            #expect(code { try adopt([Entry("b")], marks(1), fixture.store) } == .notAccepted)
            #expect(try fixture.store.names() == ["a"] && fixture.store.census().counts == [1: 1])
        }
    }

    /// All or none.
    @Test(arguments: StoreKind.all)
    func aNameIsTaken(kind: StoreKind) throws {
        try kind.run { fixture in
            try adopt([Entry("b")], marks(1), fixture.store)
            let more = [Entry("a", generation: 2), Entry("b", generation: 2), Entry("c", generation: 2)]
            #expect(code { try adopt(more, marks(1, 2), fixture.store) } == .exists)
            #expect(try fixture.store.names() == ["b"] && fixture.store.entry("b") == Entry("b"))
            #expect(try fixture.store.census().counts == [1: 1] && fixture.store.recount().counts == [1: 1])
            #expect(try fixture.store.marks().generations == [.test(1)])
        }
    }

    @Test(arguments: StoreKind.all)
    func anotherGenerationOfThatNumber(kind: StoreKind) throws {
        try kind.run { fixture in
            try adopt([Entry("a")], marks(1), fixture.store)
            var other = marks(1)
            other.generations[0].checkValue = [1, 2, 3, 4, 5, 6, 7, 8]
            #expect(code { try adopt([Entry("b")], other, fixture.store) } == .foreignGenerations)
            #expect(try fixture.store.names() == ["a"])
        }
    }

    @Test(arguments: StoreKind.all)
    func aFreeSlotIsNoSecrets(kind: StoreKind) throws {
        try kind.run { fixture in
            var entry = Entry("a")
            entry.slot = Entry.slot(0, wrapped: [UInt8](repeating: 0, count: 40))
            #expect(code { try adopt([Entry("b"), entry], marks(1), fixture.store) } == .notAccepted)
            let names = try fixture.store.names()
            #expect(names.isEmpty)
        }
    }

    /// What an interrupted copy has to take back before it goes on.
    @Test(arguments: StoreKind.all)
    func removedBeforeTheFence(kind: StoreKind) throws {
        try kind.run { fixture in
            try adopt([Entry("a"), Entry("b")], marks(1), fixture.store)
            #expect(try fixture.store.remove("a"))
            try adopt([Entry("a", generation: 2)], marks(1, 2), fixture.store)
            #expect(try fixture.store.census().counts == [1: 1, 2: 1])
            #expect(try fixture.store.recount().counts == [1: 1, 2: 1])
        }
    }
}
