import SecretStores
import Testing

/// Compare-and-swap by slot.
@Suite struct PageCommitterTests {
    @Test(arguments: StoreKind.all)
    func movesEverySlot(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<150).map { Entry("one \($0)", generation: 1) })
            try store.put((0..<150).map { Entry("two \($0)", generation: 2) })
            try store.put((0..<50).map { Entry("three \($0)", generation: 3) })
            let before = try fixture.slots()
            let tally = try fixture.move(to: 3)
            #expect(tally.moved == 300 && tally.superseded == 0 && tally.failed.total == 0)
            #expect(try store.census().counts == [3: 350])
            #expect(try store.recount().counts == [3: 350])
            let moved = before.mapValues { $0[3] == 3 ? $0 : PageBatch.moved($0, to: 3) }
            #expect(try fixture.slots() == moved)
            // Contents and birth generations are what they were.
            let secret = try #require(try store.secret(named: Array("one 7".utf8)))
            #expect(secret.birth == 1 && secret.generation == 3)
            #expect(secret.body == Entry("one 7").body)
            #expect(try fixture.move(to: 3) == CommitTally())
        }
    }

    /// Whatever an application does to a secret between reading and committing, its bytes stay, and all the others
    /// are moved.
    @Test(arguments: StoreKind.all)
    func changedSlotsAreSuperseded(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<200).map { Entry("name \($0)") })
            try store.raiseFence(to: .test(2))
            let replaced = Entry("name 3", generation: 2, seed: 1)
            let renamed = Entry("other", generation: 2, seed: 2)
            let reused = Entry("reused", generation: 2, seed: 3)
            let places = try [3, 100, 5, 150].map { try #require(try fixture.place("name \($0)")) }
            let tally = try fixture.move(to: 2) {
                try store.put([replaced])
                try store.rename(Array("name 100".utf8), to: renamed)
                try store.remove("name 5")
                try store.put([reused])
                try store.remove("name 150")
            }
            #expect(tally.moved == 196 && tally.superseded == 4 && tally.failed.total == 0)
            let slots = try fixture.slots()
            #expect(slots[places[0]] == replaced.slot)
            #expect(slots[places[1]] == renamed.slot)
            #expect(slots[places[2]] == reused.slot)
            #expect(slots[places[3]] == nil)
            #expect(slots.count == 199)
            #expect(slots[try #require(try fixture.place("name 77"))] == PageBatch.moved(Entry("name 77").slot, to: 2))
            for entry in [replaced, renamed, reused] { #expect(try store.entry(entry.name) == entry) }
            #expect(try store.census().counts == [2: 199])
            #expect(try store.recount().counts == [2: 199])
            #expect(try store.quarantine().isEmpty)
        }
    }

    /// The counts stand where every kind of change came in between, from several generations.
    @Test(arguments: StoreKind.all)
    func countsByGenerationStand(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            for generation in 1...4 as ClosedRange<UInt32> {
                try store.put((0..<60).map { Entry("\(generation) \($0)", generation: generation) })
            }
            try store.raiseFence(to: .test(5))
            var generator = SeededGenerator(state: 5)
            let tally = try fixture.move(to: 5) {
                for generation in 1...4 {
                    for number in (0..<60).shuffled(using: &generator).prefix(10 * generation) {
                        let name = "\(generation) \(number)"
                        if Bool.random(using: &generator) {
                            try store.remove(name)
                        } else {
                            try store.put([Entry(name, generation: 5, seed: 1)])
                        }
                    }
                }
            }
            #expect(tally.moved == 140 && tally.superseded == 100)
            #expect(try store.census() == store.recount())
            #expect(try store.census().stale(except: 5) == 0)
        }
    }

    @Test(arguments: StoreKind.all)
    func theFenceHasToStandAtTheTarget(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<50).map { Entry("name \($0)", generation: 2) })
            let before = try fixture.slots()
            // Not raised yet: an old writer could still come.
            #expect(code { try fixture.move(to: 3) } == .fenced(fence: 2))
            // Risen further in between.
            try store.raiseFence(to: .test(3))
            let refusal = code { try fixture.move(to: 3) { try fixture.again().raiseFence(to: .test(4)) } }
            #expect(refusal == .fenced(fence: 4))
            #expect(try fixture.slots() == before)
            #expect(try store.census().counts == [2: 50])
            #expect(try store.openJournal() == nil)
            #expect(try fixture.move(to: 4).moved == 50)
        }
    }

    /// The journal is made from what the commit did, inside its transaction.
    @Test(arguments: StoreKind.all)
    func theJournalGoesAlong(kind: StoreKind) throws {
        struct Refused: Error {}
        try kind.run { fixture in
            let store = fixture.store
            try store.put((0..<200).map { Entry("name \($0)") })
            let before = try fixture.slots()
            try store.raiseFence(to: .test(2))
            let batch = try fixture.allPages()
            batch.moveAll(to: 2, failing: [try #require(try fixture.place("name 9")): .keyAbsent])
            let committer = try store.pageCommitter()
            var seen = CommitTally()
            #expect(throws: Refused.self) {
                try committer.commit(batch, to: .test(2), job: "job") { tally in
                    seen = tally
                    throw Refused()
                }
            }
            #expect(seen.moved == 199 && seen.failed[.keyAbsent] == 1 && seen.failed.total == 1)
            #expect(try fixture.slots() == before)
            #expect(try store.census().counts == [1: 200])
            #expect(try store.quarantine().isEmpty)
            // The same batch once more.
            let tally = try committer.commit(batch, to: .test(2), job: "job") { _ in .test("job", content: [7]) }
            #expect(tally == seen)
            #expect(try store.openJournal() == .test("job", content: [7]))
            #expect(try store.census().counts == [1: 1, 2: 199])
        }
    }

    @Test(arguments: StoreKind.all)
    func anEmptyBatchWritesItsJournal(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.raiseFence(to: .test(2))
            #expect(try fixture.move(to: 2, job: "empty") == CommitTally())
            #expect(try fixture.store.openJournal()?.job == "empty")
        }
    }
}
