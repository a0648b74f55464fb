import Files
import KeyManagement
import Rotation
import SecretStores
import Testing

/// One bad secret does not stop a run: it is left as it is and quarantined, and all outcomes add up.
@Suite struct FailureTests {
    /// Every reason that a rewrap can meet, in one store.
    @Test(arguments: TestHome.Kind.allCases) func everyReason(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let names = TestHome.names(1000)
            try home.fill(TestHome.names(20, "destroyed"))
            try home.roll()
            try home.fill(names)
            try home.keeper.update { try $0.move(1, to: .destroyed, at: .now, reason: "a test") }
            try home.roll()
            let pending = try home.keeper.publish(above: 0, at: .now, reason: "never activated")
            for number in 0..<3 { try home.setGeneration(77, of: "name \(number)") }
            for number in 100..<105 { try home.setGeneration(pending, of: "name \(number)") }
            for number in 990..<997 { try home.flipWrappedKey("name \(number)", bit: number % 320) }
            let failing = Set((0..<3).map { "name \($0)" } + (100..<105).map { "name \($0)" })
                .union((990..<997).map { "name \($0)" }).union(TestHome.names(20, "destroyed"))
            let slots = try failing.sorted().map { try home.slot($0) }

            let outcome = try home.rewrap()
            #expect(outcome.tally.addsUp)
            #expect(outcome.tally.failed[.keyAbsent] == 23)
            #expect(outcome.tally.failed[.keyNotPermitted] == 5)
            #expect(outcome.tally.failed[.integrityCheckFailed] == 7)
            #expect(outcome.tally.numbers == [1020, 985, 0, 0, 35])
            // Left as they are, and named.
            #expect(try failing.sorted().map { try home.slot($0) } == slots)
            #expect(Set(try home.store.quarantine().map(\.name)) == failing)
            #expect(try home.store.quarantine().allSatisfy { $0.job == "job" })
            try home.expectAll(names + TestHome.names(20, "destroyed"), closed: failing)
            // The next run looks at them again, finds the same and is finished all the same.
            #expect(try home.rewrap(job: "again").tally.numbers == [1020, 0, 985, 0, 35])
            #expect(try home.store.newestJournal()?.job == "again")
        }
    }

    /// What is mended is moved by the next run, and leaves the list.
    @Test(arguments: TestHome.Kind.allCases) func mendedSecretsAreMoved(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let names = TestHome.names(300)
            try home.fill(names)
            try home.roll()
            for name in ["name 1", "name 200"] { try home.flipWrappedKey(name) }
            #expect(try home.rewrap().tally.numbers == [300, 298, 0, 0, 2])
            try home.flipWrappedKey("name 1")
            #expect(try home.rewrap(job: "second").tally.numbers == [300, 1, 298, 0, 1])
            #expect(try home.store.quarantine().map(\.name) == ["name 200"])
            try home.flipWrappedKey("name 200")
            #expect(try home.rewrap(job: "third").tally.numbers == [300, 1, 299, 0, 0])
            #expect(try home.store.quarantine().isEmpty)
            try home.expectAll(names)
        }
    }

    /// A whole page of bad slots, and a batch with nothing but bad ones.
    @Test(arguments: [1, 3])
    func nothingButFailures(workers: Int) throws {
        try TestHome.run { home in
            let names = TestHome.names(200)
            try home.fill(names)
            try home.roll()
            for name in names { try home.flipWrappedKey(name) }
            let outcome = try home.rewrap(workers: workers)
            #expect(outcome.tally.numbers == [200, 0, 0, 0, 200])
            #expect(outcome.tally.failed[.integrityCheckFailed] == 200)
            #expect(try home.store.quarantine().count == 200)
            for name in names { try home.flipWrappedKey(name) }
            #expect(try home.rewrap().tally.moved == 200)
            try home.expectAll(names)
        }
    }

    /// Many numbers that the ring never had: each is looked for, none of them stops the run.
    @Test(arguments: TestHome.Kind.allCases) func manyUnknownGenerations(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let names = TestHome.names(150)
            try home.fill(names)
            try home.roll()
            for number in 0..<100 { try home.setGeneration(UInt32(1000 + number), of: "name \(number)") }
            let outcome = try home.rewrap()
            #expect(outcome.tally.numbers == [150, 50, 0, 0, 100])
            #expect(outcome.tally.failed[.keyAbsent] == 100)
            try home.expectAll(names, closed: Set(names[..<100]))
        }
    }

    /// A slot that claims to be at the target already and is not: a run has nothing to do with it, a verification has.
    @Test(arguments: TestHome.Kind.allCases) func aSlotThatClaimsToBeCurrent(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(100))
            try home.roll()
            try home.setGeneration(2, of: "name 42")
            let outcome = try home.rewrap()
            #expect(outcome.tally.addsUp && outcome.tally.moved == 99)
            #expect(outcome.correctedCensus)
            #expect(try home.store.census().counts == [2: 100])
            let faults = try home.verify().faults
            #expect(faults == [.init(name: "name 42", generation: 2, reason: .integrityCheckFailed)])
        }
    }

    /// Slots cleared from outside leave counters that stand too high; they are written anew, and it is said.
    @Test(arguments: TestHome.Kind.allCases) func aSlotThatIsGone(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(100))
            try home.roll()
            try home.alterSlot("name 9") { $0 = [UInt8](repeating: 0, count: $0.count) }
            let outcome = try home.rewrap()
            #expect(outcome.tally.addsUp && outcome.tally.moved == 99 && outcome.correctedCensus)
            #expect(try home.store.census().counts == [2: 99])
            let faults = try home.verify().faults
            #expect(faults.map(\.name) == ["name 9"])
        }
    }
}
