import SecretStores
import Testing

@Suite struct JournalTests {
    @Test(arguments: StoreKind.all)
    func aNewStoreHasNone(kind: StoreKind) throws {
        try kind.run { fixture in
            let (open, newest) = (try fixture.store.openJournal(), try fixture.store.newestJournal())
            #expect(open == nil && newest == nil)
        }
    }

    @Test(arguments: StoreKind.all)
    func writtenAndReadBack(kind: StoreKind) throws {
        try kind.run { fixture in
            for content in [[], [1], patterned(100_000, seed: 1)] {
                let record = JournalRecord.test("job", content: content)
                try fixture.store.write(record)
                #expect(try fixture.store.openJournal() == record)
                #expect(try fixture.again().openJournal() == record)
            }
            #expect(try fixture.store.newestJournal() == nil)
        }
    }

    @Test(arguments: StoreKind.all)
    func theNewestOneIsOpen(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.write(.test("b"))
            try store.write(.test("a"))
            #expect(try store.openJournal()?.job == "a")
            // Written again, it does not become newer.
            try store.write(.test("b", content: [2]))
            #expect(try store.openJournal()?.job == "a")
        }
    }

    @Test(arguments: StoreKind.all)
    func finishing(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put([Entry("a", generation: 1), Entry("b", generation: 1)])
            try store.put([Entry("b", generation: 2)])
            try store.write(.test("left behind"))
            try store.write(.test("job"))
            let record = JournalRecord.test("job", content: [9], isFinished: true)
            var seen = Census()
            try store.finish(record) { seen = $0 }
            #expect(seen.counts == [1: 1, 2: 1])
            #expect(try store.newestJournal() == record)
            // Nobody goes on with those that came before.
            #expect(try store.openJournal() == nil)
        }
    }

    /// The counts decide, in the closing transaction.
    @Test(arguments: StoreKind.all)
    func finishingIsRefused(kind: StoreKind) throws {
        struct Refused: Error {}
        try kind.run { fixture in
            let store = fixture.store
            try store.write(.test("other"))
            try store.write(.test("job"))
            #expect(throws: Refused.self) {
                try store.finish(.test("job", isFinished: true)) { _ in throw Refused() }
            }
            #expect(try store.openJournal() == .test("job"))
            #expect(try store.newestJournal() == nil)
        }
    }

    /// A record of the last runs, and no more: a store does not grow by its jobs.
    @Test(arguments: StoreKind.all)
    func oldOnesGo(kind: StoreKind) throws {
        try kind.run { fixture in
            let content = patterned(10_000, seed: 1)
            for number in 0..<450 {
                try fixture.store.finish(.test("job \(number)", content: content, isFinished: true)) { _ in }
            }
            #expect(try fixture.store.newestJournal()?.job == "job 449")
            let size = try fixture.size()
            for number in 450..<900 {
                try fixture.store.finish(.test("job \(number)", content: content, isFinished: true)) { _ in }
            }
            #expect(try fixture.size() <= size + 100_000)
            #expect(try fixture.store.newestJournal()?.job == "job 899")
        }
    }
}
