import SecretStores
import Testing

/// Many secrets in one write, and names that are taken.
@Suite struct WriteTests {
    @Test(arguments: StoreKind.all)
    func newNames(kind: StoreKind) throws {
        try kind.run { fixture in
            let entries = (0..<1000).map { Entry("name \($0)") }
            let tally = try fixture.store.put(entries) { _, _ in
                Issue.record("no name was taken")
                return .keep
            }
            #expect(tally.added == 1000)
            #expect(
                tally
                    == {
                        var expected = WriteTally(); expected.added = 1000; return expected
                    }())
            for entry in entries { #expect(try fixture.store.entry(entry.name) == entry) }
            #expect(try fixture.store.census().counts == [1: 1000])
            #expect(Set(try fixture.slots().values) == Set(entries.map(\.slot)))
        }
    }

    @Test(arguments: StoreKind.all)
    func nothingToWrite(kind: StoreKind) throws {
        try kind.run { fixture in
            let tally = try fixture.store.put([], under: 1)
            #expect(tally == WriteTally())
            #expect(try fixture.store.census().total == 0)
            #expect(try fixture.slots().isEmpty)
        }
    }

    /// Each decision for each of three names, and one that is new.
    @Test(arguments: StoreKind.all)
    func decisions(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            let old = ["a", "b", "c"].map { Entry($0) }
            try store.put(old)
            let new = ["a", "b", "new", "c"].map { Entry($0, generation: 2, seed: 9) }
            var asked: [Int] = []
            let tally = try store.put(new) { index, present in
                asked.append(index)
                #expect(Entry(present) == old[index == 3 ? 2 : index])
                return [.replace, .unchanged, .keep, .keep][index]
            }
            #expect(asked == [0, 1, 3])
            #expect(tally.added == 1 && tally.replaced == 1 && tally.unchanged == 1 && tally.kept == 1)
            #expect(tally.keptIndices == [3])
            #expect(try store.entry("a") == new[0])
            #expect(try store.entry("b") == old[1])
            #expect(try store.entry("c") == old[2])
            #expect(try store.entry("new") == new[2])
            #expect(try store.census().counts == [1: 2, 2: 2])
            #expect(try store.recount() == store.census())
        }
    }

    /// Two lines of one import may have one name.
    @Test(arguments: StoreKind.all, [ConflictDecision.replace, .keep, .unchanged])
    func sameNameTwice(kind: StoreKind, decision: ConflictDecision) throws {
        try kind.run { fixture in
            let entries = [Entry("x"), Entry("twice", seed: 1), Entry("y"), Entry("twice", seed: 2), Entry("z")]
            var asked = 0
            let tally = try fixture.store.put(entries) { index, present in
                asked += 1
                #expect(index == 3)
                #expect(Entry(present) == entries[1])
                return decision
            }
            #expect(asked == 1 && tally.added == 4)
            #expect(try fixture.store.entry("twice") == entries[decision == .replace ? 3 : 1])
            #expect(try fixture.store.census().counts == [1: 4])
            #expect(try fixture.store.recount().counts == [1: 4])
            #expect(try fixture.slots().count == 4)
        }
    }

    /// All or none.
    @Test(arguments: StoreKind.all)
    func aFailureUndoesAll(kind: StoreKind) throws {
        struct Refused: Error {}
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<50).map { Entry("old \($0)") })
            let before = try fixture.slots()
            let entries =
                (0..<300).map { Entry("new \($0)", generation: 2) } + [Entry("old 7", generation: 2)]
                + (0..<300).map { Entry("newer \($0)", generation: 2) } + [Entry("old 8", generation: 2)]
            #expect(throws: Refused.self) {
                try store.put(entries) { index, _ in
                    if index == 300 { return .replace }
                    throw Refused()
                }
            }
            for store in [store, try fixture.again()] {
                #expect(try store.names().count == 50)
                #expect(try store.entry("old 7") == Entry("old 7"))
                #expect(try store.census().counts == [1: 50])
                #expect(try store.recount().counts == [1: 50])
                #expect(try store.marks().fence == 1)
            }
            #expect(try fixture.slots() == before)
            // And the same write goes through afterwards.
            #expect(try store.put(entries).added == 600)
        }
    }

    /// Known and new names in turn, over many pages: what an import of a changed file looks like.
    @Test(arguments: StoreKind.all)
    func knownAndNewNamesInTurn(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<500).map { Entry("name \($0 * 2)") })
            let all = (0..<1000).map { Entry("name \($0)", generation: 2, seed: 1) }
            let tally = try store.put(all)
            #expect(tally.added == 500 && tally.replaced == 500)
            for entry in all { #expect(try store.entry(entry.name) == entry) }
            #expect(try store.census().counts == [2: 1000])
            #expect(try store.recount().counts == [2: 1000])
            #expect(try store.inspect(limit: 10) == [])
        }
    }
}
