import SecretStores
import Testing

/// Bodies that are too long to lie in a batch beside others.
@Suite struct OutsizedTests {
    private static let limit = ContentBatch.usualOutsizedLimit
    private static let entries = [
        Entry("a"), Entry("b", bodyLength: limit), Entry("c", bodyLength: limit + 1, context: [1, 2]),
        Entry("d", bodyLength: limit + 4097), Entry("e"), Entry("f", bodyLength: limit + 5000),
    ]

    /// Each goes alone, in its turn.
    @Test(arguments: StoreKind.all)
    func alone(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put(Self.entries)
            let batch = ContentBatch(softLimit: 1 << 23)
            let reader = try fixture.store.contentReader()
            var found: [[String]] = []
            while true {
                batch.reset()
                guard try reader.read(into: batch, selecting: .all) else { break }
                let entries = batch.records.map { Entry($0, batch) }
                #expect(entries.allSatisfy { entry in Self.entries.contains(entry) })
                #expect(batch.isOutsized == (entries.count == 1 && entries[0].body.count > Self.limit))
                if !entries.isEmpty { found.append(entries.map(\.text)) }
            }
            #expect(found == [["a", "b"], ["c"], ["d"], ["e"], ["f"]])
        }
    }

    /// A batch that was not granted so much ends in front of it, says so, and is asked again.
    @Test(arguments: StoreKind.all)
    func onlyWhatWasGranted(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put(Self.entries)
            let batch = ContentBatch(grant: 0)
            let reader = try fixture.store.contentReader()
            // "a" and "b" fill the first batch.
            #expect(try reader.read(into: batch, selecting: .all) && batch.records.count == 2 && batch.wanted == 0)
            batch.reset()
            for _ in 0..<2 {
                #expect(try reader.read(into: batch, selecting: .all))
                #expect(batch.records.isEmpty && batch.wanted == Self.limit + 1 && !batch.isFull)
            }
            // Meanwhile it has become longer: the grant is not enough.
            try fixture.store.put([Entry("c", bodyLength: Self.limit + 2)])
            batch.grant = batch.wanted
            #expect(try reader.read(into: batch, selecting: .all) && batch.records.isEmpty)
            #expect(batch.wanted == Self.limit + 2)
            batch.grant = batch.wanted
            #expect(try reader.read(into: batch, selecting: .all) && batch.isOutsized && batch.isFull)
            #expect(batch.records.map { Entry($0, batch) } == [Entry("c", bodyLength: Self.limit + 2)])
            batch.reset()
            #expect(!batch.isOutsized && !batch.isFull && batch.byteCount == 0)
        }
    }

    /// What is not selected takes no batch of its own.
    @Test(arguments: StoreKind.all)
    func passedOver(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put(Self.entries)
            let reader = try fixture.store.contentReader()
            let selection = ContentSelection(compromised: [2])
            #expect(try reader.hasAny(selection))
            #expect(try !reader.hasAny(ContentSelection(compromised: [])))
            let batch = ContentBatch(grant: 0)
            #expect(try reader.read(into: batch, selecting: selection))
            #expect(batch.passedOver == Self.entries.count && batch.records.isEmpty && batch.wanted == 0)
            #expect(try !reader.read(into: batch, selecting: selection))
        }
    }

    @Test(arguments: StoreKind.all, [false, true])
    func replacedInPlace(kind: StoreKind, isChanged: Bool) throws {
        try kind.run { fixture in
            let store = fixture.store
            let entry = Entry("c", bodyLength: Self.limit + 4097, context: [1, 2])
            try store.put([Entry("a"), entry, Entry("e")])
            try store.raiseFence(to: .test(2))
            let batch = ContentBatch()
            let reader = try store.contentReader()
            for _ in 0..<2 {
                batch.reset()
                _ = try reader.read(into: batch, selecting: .all)
            }
            try #require(batch.isOutsized)
            var new = Entry("c", generation: 2, bodyLength: entry.body.count, context: [1, 2], seed: 7)
            batch.reserveNewSlots()
            (batch.newSlots + batch.renew(0).slot).copyMemory(from: new.slot, byteCount: Slot.length)
            (batch.base + batch.records[0].body.lowerBound).copyMemory(from: new.body, byteCount: new.body.count)
            if isChanged {
                new = Entry("c", generation: 2, bodyLength: 3 * Self.limit, seed: 9)
                try store.put([new])
            }
            let tally = try store.contentCommitter().commit(batch, to: .test(2), job: "job") { _ in .test("job") }
            #expect(tally.moved == (isChanged ? 0 : 1) && tally.superseded == (isChanged ? 1 : 0))
            #expect(try store.entry("c") == new)
            #expect(try store.entry("a") == Entry("a") && store.entry("e") == Entry("e"))
            #expect(try store.recount() == store.census())
            #expect(try store.inspect(limit: 10).isEmpty)
        }
    }
}
