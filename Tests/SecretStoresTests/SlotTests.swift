import SecretStores
import Testing

/// Key pages: which places are given out, and what is left in those that are free.
@Suite struct SlotTests {
    @Test(arguments: StoreKind.all)
    func pagesAreFilledBeforeTheNextOneBegins(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            let count = store.slotsPerPage * 3 + 1
            for first in stride(from: 0, to: count, by: 40) {
                try store.put((first..<min(first + 40, count)).map { Entry("name \($0)") })
            }
            #expect(try store.pageReader().pageCount() == 4)
            let places = Set(try fixture.slots().keys)
            #expect(places.count == count)
            #expect(places.allSatisfy { $0.page == 4 ? $0.slot == 0 : (0..<store.slotsPerPage).contains($0.slot) })
        }
    }

    @Test(arguments: StoreKind.all)
    func placesAreUsedAgain(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            let count = store.slotsPerPage * 5
            try store.put((0..<count).map { Entry("old \($0)") })
            var generator = SeededGenerator(state: 3)
            let gone = (0..<count).shuffled(using: &generator).prefix(150)
            var freed: Set<SlotPlace> = []
            for number in gone {
                freed.insert(try #require(try store.secret(named: Array("old \(number)".utf8))).place)
                #expect(try store.remove("old \(number)"))
            }
            #expect(freed.count == 150)
            #expect(Set(try fixture.slots().keys).isDisjoint(with: freed))
            let new = (0..<150).map { Entry("new \($0)", generation: 2) }
            try store.put(new)
            #expect(try store.pageReader().pageCount() == 5)
            let places = try new.map { try #require(try store.secret(named: $0.name)).place }
            #expect(Set(places) == freed)
            #expect(try store.census().counts == [1: Int64(count - 150), 2: 150])
            #expect(try store.recount() == store.census())
            // The next one has to have a new page.
            try store.put([Entry("one more", generation: 2)])
            #expect(try store.pageReader().pageCount() == 6)
        }
    }

    /// No byte of a deleted secret's wrapped key stays on its page.
    @Test(arguments: StoreKind.all)
    func deletedSlotsAreCleared(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            let entries = (0..<200).map { Entry("name \($0)") }
            try store.put(entries)
            for entry in entries.shuffled() { try store.remove(entry.text) }
            #expect(try fixture.slots().isEmpty)
            #expect(try store.census().total == 0)
            #expect(try store.recount().total == 0)
            #expect(try store.inspect(limit: 5) == [])
        }
    }

    @Test(arguments: StoreKind.all)
    func aSecretKeepsItsPlace(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<300).map { Entry("name \($0)") })
            let place = try #require(try store.secret(named: Array("name 123".utf8))).place
            #expect(try store.name(at: place) == "name 123")
            for seed in 1...5 as ClosedRange<UInt64> {
                let entry = Entry("name 123", bodyLength: Int(seed) * 1000, seed: seed)
                try store.put([entry])
                #expect(try store.secret(named: entry.name)?.place == place)
                #expect(try fixture.slots()[place] == entry.slot)
            }
            try store.remove("name 123")
            #expect(try store.name(at: place) == nil)
            #expect(try store.name(at: SlotPlace(page: 999, slot: 0)) == nil)
        }
    }
}
