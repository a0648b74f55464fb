import SecretStores
import Testing

/// Contents with their slots, in the order of places.
@Suite struct ContentReaderTests {
    private static func ascends(_ left: SlotPlace, _ right: SlotPlace) -> Bool {
        (left.page, left.slot) < (right.page, right.slot)
    }

    private func sorted(_ entries: [Entry]) -> [Entry] {
        entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// Cut by records or by bytes, with gaps between the secrets: each comes once.
    @Test(
        arguments: StoreKind.all, [(1, 1 << 20), (2, 1 << 20), (91, 1 << 20), (4096, 1), (4096, 3000), (4096, 1 << 20)])
    func everySecretOnce(kind: StoreKind, limits: (records: Int, bytes: Int)) throws {
        try kind.run { fixture in
            var entries = (0..<400).map {
                Entry("name \($0)", bodyLength: 44 + $0 % 300, context: $0 % 3 == 0 ? nil : [UInt8($0 % 251)])
            }
            try fixture.store.put(entries)
            for number in stride(from: 399, through: 0, by: -3) where number < 90 || number > 200 {
                try fixture.store.remove(entries.remove(at: number).text)
            }
            let batch = ContentBatch(softLimit: limits.bytes, maximumRecords: limits.records)
            let found = try fixture.contents(batch)
            #expect(found.sorted == sorted(entries))
            #expect(zip(found.places, found.places.dropFirst()).allSatisfy(Self.ascends))
            #expect(found.failures.isEmpty && found.passedOver == 0)
            #expect(found.batches >= (entries.count + limits.records - 1) / limits.records)
        }
    }

    /// One secret may be larger than a batch, and the batch gives the memory back.
    @Test(arguments: StoreKind.all)
    func largeSecrets(kind: StoreKind) throws {
        try kind.run { fixture in
            let entries = [Entry("a", bodyLength: 1 << 20), Entry("b"), Entry("c", bodyLength: 3 << 20), Entry("d")]
            try fixture.store.put(entries)
            let batch = ContentBatch(softLimit: 1000, maximumRecords: 10)
            let found = try fixture.contents(batch)
            #expect(found.sorted == entries)
            batch.reset()
            #expect(batch.byteCount == 0 && !batch.isFull)
        }
    }

    @Test(arguments: StoreKind.all)
    func anEmptyStore(kind: StoreKind) throws {
        try kind.run { fixture in
            let found = try fixture.contents()
            #expect(found.batches == 0)
            try fixture.store.put([Entry("a")])
            try fixture.store.remove("a")
            #expect(try fixture.contents().batches == 0)
        }
    }

    /// Slots without a content and contents without a page, among good ones, at every place of a batch.
    @Test(arguments: StoreKind.all, [1, 3, 50, 4096])
    func orphans(kind: StoreKind, records: Int) throws {
        try kind.run { fixture in
            let perPage = fixture.store.slotsPerPage
            try fixture.store.put((0..<perPage * 5).map { Entry("name \($0)") })
            var lost: [SlotPlace] = []
            for number in [0, 1, 20, perPage - 1, perPage * 4, perPage * 5 - 1] {
                lost.append(try #require(try fixture.place("name \(number)")))
                try fixture.damage(.lostContent(name: "name \(number)"))
            }
            let pages: Set<Int64> = [2, 4]
            for page in pages { try fixture.damage(.lostPage(page)) }
            let found = try fixture.contents(ContentBatch(maximumRecords: records))
            #expect(found.failures.allSatisfy { $0.reason == .malformed && $0.index == nil })
            // Without a content: the slot still names its generation.
            #expect(Set(found.failures.filter { $0.generation == 1 }.map(\.place)) == Set(lost))
            let pageless = found.failures.filter { $0.generation == 0 }.map(\.place)
            #expect(pageless.count == 2 * perPage && Set(pageless).count == 2 * perPage)
            #expect(Set(pageless.map(\.page)) == pages)
            #expect(found.entries.count == perPage * 3 - lost.count)
            #expect(try fixture.store.name(at: pageless[0]) != nil)
        }
    }

    /// A slot that was cleared while its content stayed is a record with a free slot, for the opener to refuse.
    @Test(arguments: StoreKind.all)
    func aClearedSlot(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put(["a", "b"].map { Entry($0) })
            try fixture.clear("b")
            let found = try fixture.contents()
            #expect(found.entries.map { $0.slot.contains { $0 != 0 } } == [true, false])
            #expect(found.failures.isEmpty)
        }
    }

    /// Replaced, added and deleted between batches: what was there all the time comes once, and slot and body belong
    /// together in every record.
    @Test(arguments: StoreKind.all)
    func othersWriteInBetween(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<300).map { Entry("name \($0)") })
            var round = 0
            let found = try fixture.contents(ContentBatch(maximumRecords: 10)) {
                round += 1
                try store.put([Entry("name \(299 - round)", seed: UInt64(round)), Entry("new \(round)")])
                try store.remove("name \(round * 7 % 100)")
            }
            #expect(found.entries.allSatisfy { $0.body.starts(with: $0.slot) })
            #expect(Set(found.places).count == found.places.count)
            let names = Set(found.entries.map(\.text))
            for number in 100..<300 { #expect(names.contains("name \(number)")) }
        }
    }
}

/// Runs that are about some contents only, and that go on where others stopped.
@Suite struct ContentSelectionTests {
    /// A data key was wrapped under every generation from its birth to the one that wraps it now.
    @Test(
        arguments: [
            (1, 1, [1], true), (1, 1, [2], false), (1, 3, [2], true), (2, 3, [1], false), (1, 3, [4], false),
            (3, 3, [1, 2], false), (1, 5, [9, 5], true), (2, 2, [], false),
        ] as [(UInt32, UInt32, [UInt32], Bool)])
    func exposed(birth: UInt32, generation: UInt32, compromised: [UInt32], isExposed: Bool) {
        let selection = ContentSelection(compromised: compromised)
        #expect(selection.contains(birth: birth, generation: generation) == isExposed)
        #expect(ContentSelection.all.contains(birth: birth, generation: generation))
    }

    @Test(arguments: StoreKind.all, [1, 10, 4096])
    func onlyWhatIsSelected(kind: StoreKind, records: Int) throws {
        try kind.run { fixture in
            for generation in 1...4 as ClosedRange<UInt32> {
                try fixture.store.put((0..<60).map { Entry("\(generation) \($0)", generation: generation) })
            }
            // Those of 1 have gone through 2, and are exposed by it.
            let selection = ContentSelection(compromised: [2])
            try fixture.move(to: 4, failing: [try #require(try fixture.place("2 7")): .keyAbsent])
            let found = try fixture.contents(ContentBatch(maximumRecords: records), selecting: selection)
            #expect(Set(found.entries.map(\.generation)) == [1, 2])
            #expect(found.entries.count == 120 && found.passedOver == 120)
            #expect(Set(found.entries.map(\.text)).contains("2 7"))
        }
    }

    /// A reader that begins at a batch's position gives what lies behind it, no more and no less.
    @Test(arguments: StoreKind.all, [1, 7, 50])
    func goingOn(kind: StoreKind, records: Int) throws {
        try kind.run { fixture in
            try fixture.store.put((0..<200).map { Entry("name \($0)") })
            try fixture.store.remove("name 49")
            let all = try fixture.contents(ContentBatch(maximumRecords: records))
            #expect(all.positions.count == all.batches)
            var read = 0
            for (index, position) in all.positions.enumerated() where position > 0 && index % 5 == 0 {
                read = min(all.entries.count, (index + 1) * records)
                let rest = try fixture.contents(ContentBatch(maximumRecords: records), from: position)
                #expect(rest.places == Array(all.places[read...]))
            }
            #expect(read > 0)
            #expect(try fixture.contents(from: .max >> 1).entries.isEmpty)
        }
    }
}
