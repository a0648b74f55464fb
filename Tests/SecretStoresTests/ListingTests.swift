import SecretStores
import Testing

@Suite struct ListingTests {
    private static let names: [String] = {
        var generator = SeededGenerator(state: 7)
        let letters = ["a", "b", "Z", "/", " ", "ü", "密", "'", "\u{7F}"]
        var names: Set<String> = ["a", "a/", "a/b", "a/b/c", "a0", "b", "ü/x"]
        while names.count < 400 {
            names.insert(
                (0..<Int.random(in: 1...6, using: &generator)).map { _ in letters.randomElement(using: &generator)! }
                    .joined())
        }
        return Array(names)
    }()

    /// Names in the order of their bytes, which is not the order of characters.
    private static let sorted = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }

    private func names(_ found: [SecretSummary]) -> [[UInt8]] { found.map { Array($0.name.utf8) } }

    @Test(arguments: StoreKind.all)
    func inTheOrderOfBytes(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put(Self.names.map { Entry($0) })
            #expect(names(try fixture.store.list(after: nil, prefix: [], limit: 1000)) == Self.sorted)
            #expect(try fixture.store.list(after: nil, prefix: [], limit: 0).isEmpty)
        }
    }

    @Test(arguments: StoreKind.all, ["", "a", "a/", "a/b", "ü", "密", "Z", "'", "b/zzz", "\u{7F}"])
    func pages(kind: StoreKind, prefix: String) throws {
        try kind.run { fixture in
            try fixture.store.put(Self.names.map { Entry($0) })
            let bytes = Array(prefix.utf8)
            let expected = Self.sorted.filter { $0.starts(with: bytes) }
            for limit in [1, 7, 1000] {
                var found: [[UInt8]] = []
                while found.count <= expected.count {
                    let page = names(try fixture.store.list(after: found.last, prefix: bytes, limit: limit))
                    #expect(page.count <= limit)
                    if page.isEmpty { break }
                    found += page
                }
                #expect(found == expected, "\(limit) a page")
            }
        }
    }

    /// The place to go on from need not be a name that is there, nor have the prefix.
    @Test(arguments: StoreKind.all)
    func afterAnyBytes(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put(Self.names.map { Entry($0) })
            for after in [[], [0], Array("a/b/c/d".utf8), Array("Y".utf8), [0xFF], Array("zzz".utf8)] {
                for prefix in [[], Array("a".utf8), Array("b".utf8)] {
                    let expected = Self.sorted.filter { $0.starts(with: prefix) && after.lexicographicallyPrecedes($0) }
                    let found = try fixture.store.list(after: after, prefix: prefix, limit: 1000)
                    #expect(names(found) == expected)
                }
            }
        }
    }

    @Test(arguments: StoreKind.all)
    func whatALineSays(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put([Entry("a", generation: 1, bodyLength: 70), Entry("b", generation: 1, bodyLength: 0)])
            try store.put([Entry("b", generation: 4, bodyLength: 80)])
            let lines = try store.list(after: nil, prefix: [], limit: 10)
            #expect(lines.map(\.name) == ["a", "b"])
            #expect(lines.map(\.generation) == [1, 4])
            #expect(lines.map(\.birth) == [1, 4])
            #expect(lines.map(\.bodyLength) == [70, 80])
        }
    }
}
