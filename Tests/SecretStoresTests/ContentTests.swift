import SecretStores
import Testing

/// What is written is read back: one secret at a time.
@Suite struct ContentTests {
    /// Names that would trip somebody who builds statements or paths of them.
    static let names = [
        "a", " ", "mail/alice", "../../etc/passwd", "it's", "\"quoted\"", "'; DROP TABLE secret; --", "line\nfeed",
        "tab\tand\rreturn", "100%", "under_score", "*", "[a-z]", "\\", "ünïcödé", "密碼", "🔑🔑", "e\u{301}", "\u{E9}",
        "\u{1}\u{7F}", "NULL", "0", "-1", String(repeating: "n", count: 1024), String(repeating: "ü", count: 512),
    ]

    @Test(arguments: StoreKind.all)
    func namesOfEveryKind(kind: StoreKind) throws {
        try kind.run { fixture in
            for name in Self.names { try fixture.store.put([Entry(name)]) }
            for store in [fixture.store, try fixture.again()] {
                for name in Self.names { #expect(try store.entry(name) == Entry(name), "\(name)") }
            }
            #expect(Set(try fixture.store.names().map { Array($0.utf8) }) == Set(Self.names.map { Array($0.utf8) }))
            for name in Self.names { #expect(try fixture.store.remove(name), "\(name)") }
            #expect(try fixture.store.names().isEmpty)
            #expect(try fixture.slots().isEmpty)
        }
    }

    @Test(arguments: StoreKind.all, [0, 1, 43, 44, 100, 4095, 4096, 4097, 100_000, 1 << 20])
    func bodiesOfEveryLength(kind: StoreKind, length: Int) throws {
        try kind.run { fixture in
            let entry = Entry("body", bodyLength: length)
            try fixture.store.put([entry])
            #expect(try fixture.store.entry("body") == entry)
            #expect(try fixture.store.list(after: nil, prefix: [], limit: 1).map(\.bodyLength) == [length])
        }
    }

    /// No context is not an empty context.
    @Test(arguments: StoreKind.all, [nil, 0, 1, 1000, StoreLimits.context])
    func contextsOfEveryLength(kind: StoreKind, length: Int?) throws {
        try kind.run { fixture in
            let entry = Entry("context", context: length.map { patterned($0, seed: 1) })
            try fixture.store.put([entry])
            #expect(try fixture.store.entry("context") == entry)
            let bare = Entry("context", context: length == nil ? [] : nil)
            try fixture.store.put([bare])
            #expect(try fixture.store.entry("context") == bare)
        }
    }

    @Test(arguments: StoreKind.all)
    func missingOnesAreMissing(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            #expect(try store.entry("a") == nil)
            #expect(try !store.remove("a"))
            try store.put([Entry("a")])
            #expect(try store.entry("A") == nil)
            #expect(try store.entry("a ") == nil)
            #expect(try store.entry("") == nil)
            #expect(try !store.remove("b"))
            #expect(try store.remove("a"))
            #expect(try !store.remove("a"))
            #expect(try store.census().total == 0)
        }
    }

    @Test(arguments: StoreKind.all)
    func renaming(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put([Entry("a"), Entry("b")])
            let place = try #require(try store.secret(named: Array("a".utf8))).place
            let renamed = Entry("c", generation: 2, seed: 5)
            try store.rename(Array("a".utf8), to: renamed)
            #expect(try store.entry("a") == nil)
            #expect(try store.entry("c") == renamed)
            #expect(try store.secret(named: Array("c".utf8))?.place == place)
            #expect(try store.names() == ["b", "c"])
            #expect(try store.census().counts == [1: 1, 2: 1])
            #expect(try store.recount() == store.census())
            // Refusals change nothing.
            #expect(code { try store.rename(Array("x".utf8), to: Entry("y", generation: 2)) } == .noSuchSecret)
            #expect(code { try store.rename(Array("c".utf8), to: Entry("b", generation: 2)) } == .exists)
            #expect(code { try store.rename(Array("c".utf8), to: Entry("d"), under: 1) } == .fenced(fence: 2))
            #expect(try store.names() == ["b", "c"])
            #expect(try store.entry("b") == Entry("b"))
        }
    }

    /// The new version is made from the old one, inside the transaction; a failure there leaves the old one.
    @Test(arguments: StoreKind.all)
    func renamingAsksForTheNewVersion(kind: StoreKind) throws {
        struct Refused: Error {}
        try kind.run { fixture in
            let store = fixture.store
            let entry = Entry("a", context: [1, 2])
            try store.put([entry])
            #expect(throws: Refused.self) {
                try store.rename(entry.name, to: [0x62], under: .test(1)) { present, _ in
                    #expect(Entry(present) == entry)
                    throw Refused()
                }
            }
            #expect(throws: Refused.self) {
                try store.rename(entry.name, to: [0x62], under: .test(1)) { _, store in
                    try Entry("b").withPending { try store($0) }
                    throw Refused()
                }
            }
            #expect(try store.entry("a") == entry)
            #expect(try store.entry("b") == nil)
            #expect(try fixture.again().census().counts == [1: 1])
            #expect(try store.recount().counts == [1: 1])
        }
    }
}
