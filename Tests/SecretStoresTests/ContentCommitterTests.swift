import SecretStores
import Testing

/// Contents written back under new data keys: compare-and-swap by slot, content and slot together.
@Suite struct ContentCommitterTests {
    /// The new version of a record, as a re-encryption would make it: the same length, other bytes.
    private static func renewed(_ entry: Entry, _ target: UInt32) -> Entry {
        var new = entry
        new.generation = target
        new.slot = PageBatch.moved(entry.slot, to: target)
        new.body = new.slot + patterned(entry.body.count - Slot.length, seed: 99)
        return new
    }

    private func read(_ fixture: Fixture) throws -> ContentBatch {
        let batch = ContentBatch()
        _ = try fixture.store.contentReader().read(into: batch, selecting: .all)
        return batch
    }

    private func renewAll(_ batch: ContentBatch, to target: UInt32, except failing: Set<String> = []) {
        batch.reserveNewSlots()
        for (index, record) in batch.records.enumerated() {
            let entry = Entry(record, batch)
            if failing.contains(entry.text) {
                batch.failures.append(
                    .init(index: index, place: record.place, generation: 1, reason: .integrityCheckFailed))
                continue
            }
            let new = Self.renewed(entry, target)
            (batch.newSlots + batch.renew(index).slot).copyMemory(from: new.slot, byteCount: Slot.length)
            (batch.base + record.body.lowerBound).copyMemory(from: new.body, byteCount: new.body.count)
        }
    }

    private func commit(_ batch: ContentBatch, _ fixture: Fixture, to target: UInt32) throws -> CommitTally {
        try fixture.store.contentCommitter().commit(batch, to: .test(target), job: "job") { _ in .test("job") }
    }

    @Test(arguments: StoreKind.all)
    func everyContentIsReplaced(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            let entries = (0..<200).map {
                Entry("name \($0)", bodyLength: 44 + $0 * 20, context: $0 % 2 == 0 ? nil : [UInt8($0)])
            }
            try store.put(entries)
            try store.raiseFence(to: .test(2))
            let batch = try read(fixture)
            renewAll(batch, to: 2)
            let tally = try commit(batch, fixture, to: 2)
            #expect(tally.moved == 200 && tally.superseded == 0 && tally.failed.total == 0)
            for entry in entries { #expect(try store.entry(entry.name) == Self.renewed(entry, 2)) }
            #expect(try store.census().counts == [2: 200])
            #expect(try store.recount().counts == [2: 200])
            #expect(try store.openJournal() == .test("job"))
        }
    }

    /// Whatever an application did meanwhile stays, and those that cannot be opened are quarantined as they are.
    @Test(arguments: StoreKind.all)
    func changedAndFailedOnes(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<200).map { Entry("name \($0)") })
            try store.raiseFence(to: .test(2))
            let batch = try read(fixture)
            renewAll(batch, to: 2, except: ["name 3", "name 4"])
            let replaced = Entry("name 10", generation: 2, seed: 5)
            let mended = Entry("name 4", generation: 2, seed: 5)
            try store.put([replaced, mended])
            try store.remove("name 20")
            let tally = try commit(batch, fixture, to: 2)
            #expect(tally.moved == 196 && tally.superseded == 3 && tally.failed[.integrityCheckFailed] == 1)
            #expect(try store.entry("name 10") == replaced)
            #expect(try store.entry("name 4") == mended)
            #expect(try store.entry("name 20") == nil)
            #expect(try store.entry("name 3") == Entry("name 3"))
            #expect(try store.entry("name 99") == Self.renewed(Entry("name 99"), 2))
            #expect(try store.quarantine().map(\.name) == ["name 3"])
            #expect(try store.census().counts == [1: 1, 2: 198])
            #expect(try store.recount() == store.census())
        }
    }

    @Test(arguments: StoreKind.all)
    func theFenceHasToStandAtTheTarget(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put([Entry("a"), Entry("b")])
            let batch = try read(fixture)
            renewAll(batch, to: 2)
            #expect(code { _ = try commit(batch, fixture, to: 2) } == .fenced(fence: 1))
            #expect(try fixture.store.entry("a") == Entry("a"))
            #expect(try fixture.store.openJournal() == nil)
            try fixture.store.raiseFence(to: .test(3))
            #expect(code { _ = try commit(batch, fixture, to: 2) } == .fenced(fence: 3))
            #expect(try fixture.store.census().counts == [1: 2])
        }
    }

    @Test(arguments: StoreKind.all)
    func aFailureUndoesAll(kind: StoreKind) throws {
        struct Refused: Error {}
        try kind.run { fixture in
            try fixture.store.put((0..<100).map { Entry("name \($0)") })
            try fixture.store.raiseFence(to: .test(2))
            let batch = try read(fixture)
            renewAll(batch, to: 2, except: ["name 1"])
            let committer = try fixture.store.contentCommitter()
            #expect(throws: Refused.self) {
                try committer.commit(batch, to: .test(2), job: "job") { _ in throw Refused() }
            }
            #expect(try fixture.store.entry("name 50") == Entry("name 50"))
            #expect(try fixture.store.quarantine().isEmpty)
            #expect(try fixture.store.census().counts == [1: 100])
            #expect(try fixture.store.recount().counts == [1: 100])
        }
    }
}
