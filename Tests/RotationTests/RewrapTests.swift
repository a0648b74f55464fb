import Files
import Home
import KeyManagement
import Keyroll
import Rotation
import SecretStores
import Testing

@Suite struct RewrapTests {
    /// Three generations' secrets, mixed page by page, move to a fourth one; some are there already.
    @Test(arguments: TestHome.Kind.allCases, [1, 2, 5])
    func mixedGenerations(kind: TestHome.Kind, workers: Int) throws {
        try TestHome.run(on: kind) { home in
            var names: [String] = []
            for generation in 1...4 {
                if generation > 1 { try home.roll() }
                let new = TestHome.names(1000, "generation \(generation)")
                try home.fill(new)
                // Some of the older ones get a new version.
                try home.fill(names.filter { $0.hasSuffix("7") })
                names += new
            }
            let stale = try home.store.census().stale(except: 4)
            #expect(stale > 2000 && stale < 3000)
            let before = try home.store.secret(named: Array("generation 1 0".utf8))
            let outcome = try home.rewrap(workers: workers)
            #expect(outcome.tally.numbers == [4000, Int(stale), 4000 - Int(stale), 0, 0])
            #expect(outcome.tally.addsUp && outcome.handled == 4000)
            #expect(!outcome.wasResumed && !outcome.wasInterrupted && !outcome.ignoredJournal)
            #expect(try home.store.census().counts == [4: 4000])
            #expect(try home.store.recount().counts == [4: 4000])
            try home.expectAll(names)
            // The content is what it was, the data key is wrapped anew.
            let after = try home.store.secret(named: Array("generation 1 0".utf8))
            #expect(after?.body == before?.body && after?.birth == 1)
            #expect(after?.slot != before?.slot && after?.generation == 4)
            #expect(try home.store.openJournal() == nil)
            #expect(try home.store.newestJournal()?.job == "job")
        }
    }

    @Test(arguments: TestHome.Kind.allCases) func nothingToDo(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let empty = try home.rewrap()
            #expect(empty.tally.numbers == [0, 0, 0, 0, 0])
            try home.fill(TestHome.names(300))
            #expect(try home.rewrap().tally.numbers == [300, 0, 300, 0, 0])
        }
    }

    /// Generation after generation: what was moved is moved again.
    @Test(arguments: TestHome.Kind.allCases) func manyRolls(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let names = TestHome.names(200)
            try home.fill(names)
            for number in 2...8 as ClosedRange<UInt32> {
                #expect(try home.roll() == number)
                #expect(try home.rewrap(job: "job \(number)").tally.moved == 200)
            }
            try home.expectAll(names)
            #expect(try home.store.secret(named: Array("name 0".utf8))?.birth == 1)
        }
    }

    /// A compromised generation still gives its keys, so that its secrets can be rescued.
    @Test(arguments: TestHome.Kind.allCases) func fromACompromisedGeneration(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let names = TestHome.names(100)
            try home.fill(names)
            try home.roll()
            try home.keeper.update { try $0.move(1, to: .compromised, at: .now, reason: "leaked") }
            #expect(try home.rewrap().tally.moved == 100)
            try home.expectAll(names)
        }
    }

    /// A ring that another process has changed: its new generations are found.
    @Test(arguments: TestHome.Kind.allCases) func generationsThatAreNotKnownYet(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(50, "old"))
            let other = try home.again()
            // Published and used elsewhere, while this process has the old ring.
            try home.roll()
            try home.fill(TestHome.names(50, "new"))
            try home.roll()
            try other.keeper.reload()
            try home.roll()
            try home.fill(TestHome.names(50, "newest"))
            // The other process's target is no longer the active one.
            #expect(storeCode { _ = try home.rewrap(other.store, keeper: other.keeper) } == .fenced(fence: 4))
            try other.keeper.reload()
            #expect(try home.rewrap(other.store, keeper: other.keeper).tally.numbers == [150, 100, 50, 0, 0])
            try home.expectAll(TestHome.names(50, "old") + TestHome.names(50, "new") + TestHome.names(50, "newest"))
        }
    }

    @Test(arguments: TestHome.Kind.allCases) func progressIsShown(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(500))
            try home.roll()
            let control = RunControl()
            _ = try home.rewrap(control: control)
            #expect(control.handled == 500 && control.total == 500 && control.stage == "rewrap")
            #expect(!control.isStopping)
        }
    }

    /// A rate that would take half a second takes most of it at least.
    @Test(arguments: TestHome.Kind.allCases) func aRateIsKept(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(2000))
            try home.roll()
            let clock = ContinuousClock()
            let elapsed = try clock.measure { _ = try home.rewrap(rate: 4000) }
            #expect(elapsed >= .milliseconds(400))
            #expect(try home.store.census().counts == [2: 2000])
        }
    }

    /// The real pipeline with the writes thrown away.
    @Test(arguments: TestHome.Kind.allCases) func aDryRunWritesNothing(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let names = TestHome.names(500)
            try home.fill(names)
            try home.roll()
            try home.flipWrappedKey("name 3")
            let slots = try names.map { try home.slot($0) }
            let outcome = try home.rewrap(isDryRun: true)
            #expect(outcome.tally.numbers == [500, 499, 0, 0, 1])
            #expect(try names.map { try home.slot($0) } == slots)
            #expect(try home.store.census().counts == [1: 500])
            #expect(try home.store.quarantine().isEmpty)
            #expect(try home.store.openJournal() == nil && home.store.newestJournal() == nil)
        }
    }

    /// As if there were a next generation; nobody keeps its key.
    @Test(arguments: TestHome.Kind.allCases) func aRehearsedRollWritesNothing(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let names = TestHome.names(300)
            try home.fill(names)
            let sequence = home.keeper.keyring.ring.sequence
            let run = RewrapRun(
                home.store, keeper: home.keeper, options: RunOptions(workers: 2, isDryRun: true), control: RunControl())
            #expect(try run.rehearseRoll(job: "dry").tally.numbers == [300, 300, 0, 0, 0])
            #expect(try home.keeper.reload().ring.sequence == sequence)
            #expect(try home.store.marks().fence == 1)
            try home.expectAll(names)
        }
    }
}
