import SecretStores
import TestServers
import Testing

/// What a batch of a rewrap writes in one round trip.
@Suite(.timeLimit(.minutes(15))) struct BatchTests {
    /// Commits a batch with everything moved to `target`.
    ///
    /// - Returns: what became of it, and in how many attempts.
    private func commit(
        _ fixture: Fixture, after page: Int64 = 0, pages: Int = 100, to target: UInt32,
        between: () throws -> Void = {}
    ) throws -> (tally: CommitTally, attempts: Int) {
        let batch = PageBatch(slotsPerPage: fixture.store.slotsPerPage, capacity: 100)
        batch.pagesWanted = pages
        try fixture.store.pageReader().read(into: batch, after: page)
        batch.moveAll(to: target)
        try between()
        var attempts = 0
        let tally = try fixture.store.pageCommitter().commit(batch, to: .test(target), job: "job") { _ in
            attempts += 1
            return .test("job")
        }
        return (tally, attempts)
    }

    @discardableResult
    private func run(_ fixture: Fixture, _ sql: String) throws -> [[String?]] {
        try StoreKind.database.get().run("SET search_path = \"\(fixture.folder.schema)\"; \(sql)")
    }

    /// Three pages, the numbers from `gap` on left out behind the second one.
    private func fill(_ fixture: Fixture, gap: Int) throws {
        try fixture.store.put((0..<80).map { Entry("name \($0)") })
        if gap > 0 { try run(fixture, "SELECT setval('page_number', \(2 + gap))") }
        try fixture.store.put((80..<100).map { Entry("name \($0)") })
        try fixture.store.raiseFence(to: .test(2))
    }

    private func check(_ fixture: Fixture, _ before: [SlotPlace: [UInt8]], but kept: SlotPlace? = nil) throws {
        let after = try fixture.slots()
        #expect(after.count == before.count)
        for (place, slot) in before where place != kept {
            #expect(after[place] == PageBatch.moved(slot, to: 2), "\(place)")
        }
        #expect(try fixture.store.census() == fixture.store.recount())
        #expect(try fixture.store.openJournal()?.job == "job")
    }

    /// Numbers that are missing, few or so many that no array holds them all.
    @Test(arguments: [0, 1, 300, 100_000]) func missingNumbers(gap: Int) throws {
        try StoreKind.postgres.run { fixture in
            try fill(fixture, gap: gap)
            let before = try fixture.slots()
            #expect(Set(before.keys.map(\.page)) == [1, 2, Int64(3 + gap)])
            let (tally, attempts) = try commit(fixture, to: 2)
            #expect(tally.moved == 100 && tally.superseded == 0 && attempts == 1)
            try check(fixture, before)
        }
    }

    /// A page in the middle that has nothing to move is not written, whoever changes it meanwhile.
    @Test func aPageThatStays() throws {
        try StoreKind.postgres.run { fixture in
            try fill(fixture, gap: 1)
            let before = try fixture.slots()
            #expect(try commit(fixture, after: 1, pages: 1, to: 2).tally.moved == 40)
            let versions = "SELECT xmin FROM key_page WHERE page = 2"
            let version = try run(fixture, versions)
            let (tally, attempts) = try commit(fixture, to: 2)
            #expect(tally.moved == 60 && tally.superseded == 0 && attempts == 1)
            #expect(try run(fixture, versions) == version)
            try check(fixture, before)
        }
    }

    /// A slot that is another one by now stays, behind a gap too; all else moves in a second attempt.
    @Test func aSlotThatChanged() throws {
        try StoreKind.postgres.run { fixture in
            try fill(fixture, gap: 2)
            let before = try fixture.slots()
            let place = try #require(try fixture.place("name 90"))
            let (tally, attempts) = try commit(fixture, to: 2) {
                try fixture.store.put([Entry("name 90", generation: 2, seed: 7)])
            }
            #expect(tally.moved == 99 && tally.superseded == 1 && attempts == 2)
            try check(fixture, before, but: place)
            #expect(try fixture.slots()[place] == Entry("name 90", generation: 2, seed: 7).slot)
        }
    }
}
