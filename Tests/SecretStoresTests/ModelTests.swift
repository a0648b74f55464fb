import SecretStores
import Testing

/// Thousands of random operations, against a dictionary.
@Suite struct ModelTests {
    /// What the store has to hold.
    private struct Model {
        var entries: [[UInt8]: Entry] = [:]
        var fence: UInt32 = 1
        var seed: UInt64 = 0

        var census: [UInt32: Int64] { Dictionary(entries.values.map { ($0.generation, 1) }, uniquingKeysWith: +) }

        mutating func newEntry(_ name: [UInt8], _ generator: inout SeededGenerator) -> Entry {
            seed += 1
            return Entry(
                name, generation: fence, bodyLength: [0, 44, 60, 500, 5000].randomElement(using: &generator)!,
                context: Bool.random(using: &generator) ? nil : patterned(9, seed: seed), seed: seed)
        }
    }

    @Test(arguments: StoreKind.all, [1, 2] as [UInt64])
    func randomOperations(kind: StoreKind, seed: UInt64) throws {
        try kind.run { fixture in
            var generator = SeededGenerator(state: seed)
            var model = Model()
            let names = (0..<250).map { Array("name \($0)".utf8) }
            for step in 0..<2000 {
                // Two objects in turn, as two processes have the store.
                let store = step % 3 == 0 ? try fixture.again() : fixture.store
                try Self.operate(&model, store, names, &generator)
                if step % 100 == 99 { try Self.compare(model, fixture) }
            }
            #expect(model.entries.count > 50)
            #expect(model.fence > 5)
            #expect(try fixture.store.inspect(limit: 10) == [])
        }
    }

    private static func operate(
        _ model: inout Model, _ store: any SecretStore, _ names: [[UInt8]], _ generator: inout SeededGenerator
    ) throws {
        let name = names.randomElement(using: &generator)!
        let present = model.entries[name]
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<40:
            try write(&model, store, names, &generator)
        case 40..<75:
            #expect(try store.remove(named: name) == (present != nil))
            model.entries[name] = nil
        case 75..<90:
            let other = names.randomElement(using: &generator)!
            var entry = model.newEntry(other, &generator)
            entry.context = present?.context
            let refusal = code { try store.rename(name, to: entry) }
            if present == nil {
                #expect(refusal == .noSuchSecret)
            } else if model.entries[other] != nil {
                #expect(refusal == .exists)
            } else {
                #expect(refusal == nil)
                model.entries[name] = nil
                model.entries[other] = entry
            }
        case 90..<93:
            model.fence += UInt32.random(in: 0...2, using: &generator)
            try store.raiseFence(to: .test(model.fence))
        case 93..<96 where model.fence > 1:
            let stale = Entry(name, generation: model.fence - 1)
            #expect(code { try store.put([stale]) } == .fenced(fence: model.fence))
        default:
            #expect(try store.entry(name) == present)
        }
    }

    /// One to twenty at once; what is taken is replaced or kept.
    private static func write(
        _ model: inout Model, _ store: any SecretStore, _ names: [[UInt8]], _ generator: inout SeededGenerator
    ) throws {
        let count = Bool.random(using: &generator) ? 1 : Int.random(in: 2...20, using: &generator)
        var expected = WriteTally()
        var batch: [Entry] = []
        var decisions: [ConflictDecision] = []
        for index in 0..<count {
            let entry = model.newEntry(names.randomElement(using: &generator)!, &generator)
            let decision: ConflictDecision = [.replace, .replace, .keep, .unchanged].randomElement(using: &generator)!
            batch.append(entry)
            decisions.append(decision)
            guard model.entries[entry.name] != nil else {
                model.entries[entry.name] = entry
                expected.added += 1
                continue
            }
            switch decision {
            case .replace:
                model.entries[entry.name] = entry
                expected.replaced += 1
            case .unchanged: expected.unchanged += 1
            case .keep:
                expected.kept += 1
                expected.keptIndices.append(index)
            }
        }
        #expect(try store.put(batch, under: model.fence) { index, _ in decisions[index] } == expected)
    }

    private static func compare(_ model: Model, _ fixture: Fixture) throws {
        let store = fixture.store
        #expect(try store.census() == Census(model.census))
        #expect(try store.recount() == Census(model.census))
        #expect(try store.marks().fence == model.fence)
        let listed = try store.list(after: nil, prefix: [], limit: 10_000)
        #expect(Set(listed.map { Array($0.name.utf8) }) == Set(model.entries.keys))
        for (name, entry) in model.entries { #expect(try store.entry(name) == entry) }
        // A slot for each secret, and nothing in the others.
        #expect(
            try fixture.slots().values.map { hex($0) }.sorted() == model.entries.values.map { hex($0.slot) }.sorted())
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { String($0, radix: 16) }.joined(separator: " ") }
}
