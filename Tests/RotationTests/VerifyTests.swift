import Files
import KeyManagement
import Rotation
import SecretStores
import Testing

/// Every secret is opened, and what does not open is named with its reason.
@Suite struct VerifyTests {
    @Test(arguments: [1, 2, 5])
    func allOpen(workers: Int) throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(700, "old"))
            try home.roll()
            try home.fill(TestHome.names(500, "new"))
            let outcome = try home.verify(workers: workers)
            #expect(outcome.tally.numbers == [1200, 1200, 0, 0, 0])
            #expect(outcome.faults.isEmpty && !outcome.wasInterrupted)
        }
    }

    @Test(arguments: TestHome.Kind.allCases) func anEmptyStore(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let outcome = try home.verify()
            #expect(outcome.tally.numbers == [0, 0, 0, 0, 0])
        }
    }

    /// One of each kind of damage.
    @Test(arguments: TestHome.Kind.allCases) func everyReason(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(500))
            let pending = try home.keeper.publish(above: 0, at: .now, reason: "never activated")
            try home.setGeneration(77, of: "name 0")
            try home.setGeneration(pending, of: "name 1")
            try home.flipWrappedKey("name 2")
            try home.alterBody("name 3") { $0[$0.count - 1] ^= 1 }
            try home.alterBody("name 4") { $0[15] ^= 0x80 }
            try home.alterBody("name 5") { $0.removeLast() }
            try home.alterBody("name 6") { $0 = [] }
            try home.alterBody("name 7") { $0[0] = 0xD0 }
            try home.loseContent("name 8")
            let outcome = try home.verify()
            #expect(outcome.tally.addsUp)
            #expect(outcome.tally.numbers == [500, 491, 0, 0, 9])
            let reasons = Dictionary(uniqueKeysWithValues: outcome.faults.map { ($0.name, $0.reason) })
            #expect(reasons["name 0"] == .keyAbsent)
            #expect(reasons["name 1"] == .keyNotPermitted)
            for number in 2...4 { #expect(reasons["name \(number)"] == .integrityCheckFailed) }
            for number in 5...7 { #expect(reasons["name \(number)"] == .malformed) }
            #expect(reasons.count == 9 && reasons.keys.count { $0.hasPrefix("(no content: key page 1, slot") } == 1)
            #expect(outcome.tally.failed[.malformed] == 4)
            // Nothing was changed.
            #expect(try home.store.quarantine().isEmpty)
        }
    }

    /// Two contents that changed places, with their slots and without, open under neither name.
    @Test func swappedContents() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(10))
            try RawDatabase.run(
                home.store.place,
                """
                UPDATE secret SET name = 'x' WHERE name = 'name 1';
                UPDATE secret SET name = 'name 1' WHERE name = 'name 2';
                UPDATE secret SET name = 'name 2' WHERE name = 'x';
                """)
            let first = try #require(try home.store.secret(named: Array("name 3".utf8)))
            let second = try #require(try home.store.secret(named: Array("name 4".utf8)))
            try home.alterBody("name 3") { $0 = second.body }
            try home.alterBody("name 4") { $0 = first.body }
            let outcome = try home.verify()
            #expect(Set(outcome.faults.map(\.name)) == ["name 1", "name 2", "name 3", "name 4"])
            #expect(outcome.tally.failed[.integrityCheckFailed] == 4)
        }
    }

    /// An altered birth generation or context does not open either.
    @Test func alteredClearParts() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(10))
            try RawDatabase.run(
                home.store.place,
                """
                UPDATE secret SET birth = 2 WHERE name = 'name 1';
                UPDATE secret SET context = X'01' WHERE name = 'name 2';
                UPDATE secret SET context = X'' WHERE name = 'name 3';
                """)
            let faults = try home.verify().faults
            #expect(Set(faults.map(\.name)) == ["name 1", "name 2", "name 3"])
            #expect(faults.allSatisfy { $0.reason == .integrityCheckFailed && $0.generation == 1 })
        }
    }

    /// A thousand are named, all are counted.
    @Test func manyFaults() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(1300))
            try RawDatabase.run(home.store.place, "UPDATE secret SET body = zeroblob(50)")
            let outcome = try home.verify()
            #expect(outcome.tally.failed[.malformed] == 1300)
            #expect(outcome.faults.count == VerifyRun.namedAtMost)
        }
    }
}
