import Home
import Keyroll
import SecretStores
import Testing

/// Names across the stores of one group.
@Suite(.timeLimit(.minutes(15))) struct SeveralStoresTests {
    private func run(_ body: (TestHome, KeyGroup) throws -> Void) throws {
        try TestHome.run(stores: ["first.sqlite", "second.sqlite"]) { home in try body(home, KeyGroup(home.home)) }
    }

    private func names(_ home: TestHome, _ index: Int) throws -> [String] {
        try home.home.stores[index].list(after: nil, prefix: [], limit: 100).map(\.name)
    }

    private func get(_ group: KeyGroup, _ name: String, in store: String? = nil) throws -> [UInt8] {
        try group.get(name, in: store) { Array($0) }
    }

    @Test func putWhereItLies() throws {
        try run { home, group in
            try group.put("new", [1])
            try group.put("chosen", [2], in: "second")
            #expect(try names(home, 0) == ["new"] && names(home, 1) == ["chosen"])
            try group.put("chosen", [3], replacing: true)
            #expect(try names(home, 0) == ["new"] && names(home, 1) == ["chosen"])
            #expect(try get(group, "chosen") == [3] && get(group, "new") == [1])
            #expect(throwsExists { try group.put("chosen", [4]) })
            #expect(try get(group, "chosen", in: "second") == [3])
            #expect { _ = try get(group, "chosen", in: "first") } throws: { ($0 as? StoreError)?.code == .noSuchSecret }
            #expect { _ = try get(group, "chosen", in: "third") } throws: { ($0 as? HomeError)?.code == .noSuchStore }
            #expect { try group.put("x", [1], in: "third") } throws: { ($0 as? HomeError)?.code == .noSuchStore }
        }
    }

    /// A name is in one store only, whichever is asked for.
    @Test func noSecondOneElsewhere() throws {
        try run { home, group in
            try group.put("a", [1])
            try group.put("b", [2], in: "second")
            #expect(throwsExists { try group.put("a", [9], replacing: true, in: "second") })
            #expect(throwsExists { try group.put("b", [9], replacing: true, in: "first") })
            #expect(try get(group, "a") == [1] && get(group, "b") == [2])
            // A name that begins like another one is another name.
            try group.put("a longer", [3], in: "second")
            #expect(try names(home, 0) == ["a"] && names(home, 1) == ["a longer", "b"])
        }
    }

    @Test func removeAndRename() throws {
        try run { home, group in
            try group.put("a", [1])
            try group.put("b", [2], in: "second")
            try group.rename("b", to: "c")
            #expect(try names(home, 1) == ["c"] && get(group, "c") == [2])
            #expect(throwsExists { try group.rename("c", to: "a") })
            #expect { try group.rename("b", to: "d") } throws: { ($0 as? StoreError)?.code == .noSuchSecret }
            try group.remove("c")
            #expect(try names(home, 1) == [] && names(home, 0) == ["a"])
            #expect { try group.remove("c") } throws: { ($0 as? StoreError)?.code == .noSuchSecret }
        }
    }

    /// As while a store is copied: the first one counts, and a change leaves none behind.
    @Test func inBothForAWhile() throws {
        try run { home, group in
            for store in home.home.stores { try home.fill(["twice"], in: store) }
            try group.put("twice", [7], replacing: true)
            #expect(try get(group, "twice") == [7])
            #expect(try get(group, "twice", in: "second") == TestHome.plaintext("twice"))
            #expect(throwsExists { try group.put("twice", [8], replacing: true, in: "second") })
            try group.rename("twice", to: "both")
            #expect(try names(home, 0) == ["both"] && names(home, 1) == ["both"])
            try group.remove("both")
            #expect(try names(home, 0) == [] && names(home, 1) == [])
        }
    }

    private func throwsExists(_ body: () throws -> Void) -> Bool {
        do { try body() } catch { return (error as? StoreError)?.code == .exists }
        return false
    }
}
