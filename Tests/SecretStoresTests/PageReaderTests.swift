import SecretStores
import Testing

@Suite struct PageReaderTests {
    @Test(arguments: StoreKind.all)
    func anEmptyStoreHasNoPages(kind: StoreKind) throws {
        try kind.run { fixture in
            let reader = try fixture.store.pageReader()
            let batch = PageBatch(slotsPerPage: fixture.store.slotsPerPage, capacity: 3)
            try reader.read(into: batch, after: 0)
            #expect(batch.count == 0)
            #expect(try reader.pageCount() == 0)
        }
    }

    /// Every page once, ascending, whatever the batches' capacity.
    @Test(arguments: StoreKind.all, [1, 2, 3, 5, 100])
    func everyPageOnce(kind: StoreKind, capacity: Int) throws {
        try kind.run { fixture in
            let store = fixture.store
            let entries = (0..<store.slotsPerPage * 5).map { Entry("name \($0)") }
            try store.put(entries)
            let reader = try store.pageReader()
            #expect(try reader.pageCount() == 5)
            let batch = PageBatch(slotsPerPage: store.slotsPerPage, capacity: capacity)
            var pages: [Int64] = []
            var slots: Set<[UInt8]> = []
            while true {
                batch.reset()
                try reader.read(into: batch, after: pages.last ?? 0)
                if batch.count == 0 { break }
                #expect(batch.count <= capacity)
                for index in 0..<batch.count {
                    pages.append(batch.pages[index])
                    for slot in 0..<store.slotsPerPage { slots.insert(batch.slot(slot, of: index)) }
                }
            }
            #expect(pages == [1, 2, 3, 4, 5])
            #expect(slots == Set(entries.map(\.slot)))
        }
    }

    /// No transaction stays open between batches: a reader in the middle neither holds writers up nor misses what
    /// they wrote behind it.
    @Test(arguments: StoreKind.all)
    func othersWriteInBetween(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            let count = store.slotsPerPage * 3
            try store.put((0..<count).map { Entry("name \($0)") })
            let reader = try store.pageReader()
            let batch = PageBatch(slotsPerPage: store.slotsPerPage, capacity: 1)
            try reader.read(into: batch, after: 0)
            try store.put((0..<count).map { Entry("name \($0)", generation: 2) })
            try store.put([Entry("more", generation: 2)])
            var generations: Set<UInt32> = []
            for page in 1...3 as ClosedRange<Int64> {
                batch.reset()
                try reader.read(into: batch, after: page)
                #expect(batch.count == 1 && batch.pages[0] == page + 1)
                generations.insert(Slot.generation(batch.old))
            }
            #expect(generations == [2])
        }
    }
}
