import SecretStores
import Synchronization
import Testing

/// Many threads, each with the same object or with one of its own, as processes have.
@Suite struct ConcurrencyTests {
    private static let writers = 4
    private static let rounds = 150

    /// Writers with names of their own, and a reader that must always find slot and body of one version.
    @Test(arguments: StoreKind.all, [false, true])
    func writersBesideAReader(kind: StoreKind, ownObjects: Bool) throws {
        try kind.run { fixture in
            let running = Running(Self.writers)
            let left = try inParallel(Self.writers + 1) { number -> [Entry] in
                let store = ownObjects ? try fixture.again() : fixture.store
                if number == Self.writers {
                    try Self.read(store, while: running)
                    return []
                }
                defer { running.end() }
                return try Self.write(store, writer: number)
            }
            let expected = Dictionary(uniqueKeysWithValues: left.joined().map { ($0.name, $0) })
            let store = try fixture.again()
            #expect(try store.names().count == expected.count)
            for (name, entry) in expected { #expect(try store.entry(name) == entry) }
            #expect(try store.census().counts == [1: Int64(expected.count)])
            #expect(try store.recount() == store.census())
            #expect(try Set(fixture.slots().values) == Set(expected.values.map(\.slot)))
            #expect(try store.inspect(limit: 5) == [])
        }
    }

    /// All of them want the same few names: each write is whole, and the last one counts.
    @Test(arguments: StoreKind.all)
    func writersOfTheSameNames(kind: StoreKind) throws {
        try kind.run { fixture in
            let tallies = try inParallel(Self.writers) { number in
                let store = try fixture.again()
                var tally = WriteTally()
                for round in 0..<100 {
                    let entries = (0..<3).map { Entry("shared \($0)", seed: UInt64(number * 1000 + round)) }
                    let one = try store.put(entries)
                    tally.added += one.added
                    tally.replaced += one.replaced
                }
                return tally
            }
            #expect(tallies.reduce(0) { $0 + $1.added } == 3)
            #expect(tallies.reduce(0) { $0 + $1.replaced } == 3 * (100 * Self.writers - 1))
            // Three names of one write: their contents have one seed.
            let present = try (0..<3).map { try #require(try fixture.store.entry("shared \($0)")) }
            let seeds = (0..<Self.writers).flatMap { writer in (0..<100).map { UInt64(writer * 1000 + $0) } }
            #expect(seeds.contains { seed in present == (0..<3).map { Entry("shared \($0)", seed: seed) } })
            #expect(try fixture.store.census().counts == [1: 3])
            #expect(try fixture.slots().count == 3)
        }
    }

    /// The fence rises while others write: afterwards nobody has written below it.
    @Test(arguments: StoreKind.all)
    func theFenceBesideWriters(kind: StoreKind) throws {
        try kind.run { fixture in
            let running = Running(Self.writers)
            _ = try inParallel(Self.writers + 1) { number in
                let store = try fixture.again()
                if number == Self.writers {
                    var fence: UInt32 = 1
                    while running.count > 0 {
                        fence += 1
                        try store.raiseFence(to: .test(fence))
                        let stale = try store.census().stale(except: fence)
                        // From now on, what older generations protect only becomes less.
                        for _ in 0..<5 {
                            #expect(try store.census().counts.filter { $0.key < fence }.values.reduce(0, +) <= stale)
                        }
                    }
                    return
                }
                defer { running.end() }
                for round in 0..<Self.rounds {
                    var generation = try max(1, store.marks().fence)
                    while true {
                        let refusal = code {
                            try store.put([Entry("\(number) \(round)", generation: generation)])
                        }
                        guard case .fenced(let fence)? = refusal else { break }
                        #expect(fence > generation)
                        generation = fence
                    }
                }
            }
            #expect(try fixture.store.census().total == Int64(Self.writers * Self.rounds))
            #expect(try fixture.store.census() == fixture.store.recount())
        }
    }

    private static func write(_ store: any SecretStore, writer: Int) throws -> [Entry] {
        var generator = SeededGenerator(state: UInt64(writer))
        var mine: [[UInt8]: Entry] = [:]
        for round in 0..<rounds {
            let name = "\(writer)/\(Int.random(in: 0..<40, using: &generator))"
            if Int.random(in: 0..<4, using: &generator) == 0 {
                #expect(try store.remove(name) == (mine[Array(name.utf8)] != nil))
                mine[Array(name.utf8)] = nil
            } else {
                let entry = Entry(name, bodyLength: 44 + round * 10, seed: UInt64(round))
                try store.put([entry])
                mine[entry.name] = entry
            }
        }
        return Array(mine.values)
    }

    private static func read(_ store: any SecretStore, while running: Running) throws {
        while running.count > 0 {
            let names = try store.list(after: nil, prefix: [], limit: 1000).map(\.name)
            for name in names {
                guard let entry = try store.entry(name) else { continue }
                #expect(entry.body.starts(with: entry.slot))
            }
            #expect(try store.recount().total >= 0)
        }
    }
}

/// How many writers are still at it.
private final class Running: Sendable {
    private let left: Atomic<Int>
    init(_ count: Int) { left = Atomic(count) }
    var count: Int { left.load(ordering: .relaxed) }
    func end() { left.subtract(1, ordering: .relaxed) }
}
