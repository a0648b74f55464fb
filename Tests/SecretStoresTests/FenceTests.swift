import SecretStores
import Testing

@Suite struct FenceTests {
    @Test(arguments: StoreKind.all)
    func aNewStoreHasNone(kind: StoreKind) throws {
        try kind.run { fixture in
            let marks = try fixture.store.marks()
            #expect(marks == StoreMarks(fence: 0, generations: []))
        }
    }

    @Test(arguments: StoreKind.all)
    func risesAndNeverFalls(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            for (raised, fence) in [(1, 1), (4, 4), (2, 4), (4, 4), (0, 4), (5, 5), (.max, .max), (9, .max)]
                as [(UInt32, UInt32)]
            {
                try store.raiseFence(to: .test(raised))
                #expect(try store.marks().fence == fence)
                #expect(try fixture.again().marks().fence == fence)
            }
            let marks = try store.marks()
            #expect(marks.generations == [1, 4, 5, .max].map { .test($0) })
        }
    }

    @Test(arguments: StoreKind.all)
    func lowerGenerationsMayNotWrite(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put([Entry("a", generation: 3)])
            // Another object, which does not know of it yet.
            try fixture.again().raiseFence(to: .test(5))
            for stale in [1, 3, 4] as [UInt32] {
                #expect(code { try store.put([Entry("b", generation: stale)]) } == .fenced(fence: 5))
                #expect(code { try store.put([Entry("a", generation: stale)]) } == .fenced(fence: 5))
                #expect(code { try store.rename([0x61], to: Entry("b", generation: stale)) } == .fenced(fence: 5))
            }
            #expect(try store.names() == ["a"])
            #expect(try store.entry("a") == Entry("a", generation: 3))
            #expect(try store.census().counts == [3: 1])
            // Deleting protects nothing, and needs no generation.
            #expect(try store.remove("a"))
            try store.put([Entry("b", generation: 5)])
            #expect(try store.names() == ["b"])
        }
    }

    /// A writer with a newer ring raises the fence in its own transaction.
    @Test(arguments: StoreKind.all)
    func higherGenerationsRaiseIt(kind: StoreKind) throws {
        try kind.run { fixture in
            let store = fixture.store
            try store.put([Entry("a", generation: 1)])
            try store.put([Entry("b", generation: 7)])
            #expect(try store.marks() == StoreMarks(fence: 7, generations: [.test(1), .test(7)]))
            #expect(code { try store.put([Entry("c", generation: 6)]) } == .fenced(fence: 7))
            try store.rename([0x62], to: Entry("d", generation: 9))
            #expect(try store.marks().fence == 9)
            #expect(try store.marks().generations.map(\.number) == [1, 7, 9])
            #expect(try store.census().counts == [1: 1, 9: 1])
        }
    }

    /// What failed has not raised it.
    @Test(arguments: StoreKind.all)
    func failedWritesLeaveIt(kind: StoreKind) throws {
        struct Refused: Error {}
        try kind.run { fixture in
            let store = fixture.store
            try store.put([Entry("a", generation: 1)])
            #expect(throws: Refused.self) { try store.put([Entry("a", generation: 8)]) { _, _ in throw Refused() } }
            #expect(code { try store.rename([0x7A], to: Entry("b", generation: 8)) } == .noSuchSecret)
            #expect(try store.marks() == StoreMarks(fence: 1, generations: [.test(1)]))
        }
    }

    /// The first identity that came with a number is the one that is kept.
    @Test(arguments: StoreKind.all)
    func marksAreNotOverwritten(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.raiseFence(to: .test(2))
            var other = GenerationMark.test(2)
            other.identity = GenerationMark.test(77).identity
            try fixture.store.raiseFence(to: other)
            #expect(try fixture.store.marks().generations == [.test(2)])
        }
    }

    @Test func censusIsArithmetic() {
        let census = Census([1: 3, 2: 0, 5: 4])
        #expect(census.counts == [1: 3, 5: 4])
        #expect(census.total == 7 && census[1] == 3 && census[2] == 0 && census[9] == 0)
        #expect(census.stale(except: 5) == 3 && census.stale(except: 9) == 7)
        #expect(census + Census([1: 1, 7: 2]) == Census([1: 4, 5: 4, 7: 2]))
    }
}
