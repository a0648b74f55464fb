import Glibc
import Keyroll
import Protection
import Rotation
import SecretStores
import Synchronization
import Testing

/// Secrets that go alone through the pipeline, opened and renewed in their place.
@Suite(.timeLimit(.minutes(15))) struct OutsizedTests {
    private struct Broken: Error, Equatable {}

    private struct Stored: Equatable {
        let slot: [UInt8]
        let body: [UInt8]
        init(_ secret: StoredSecret) { (slot, body) = (secret.slot, secret.body) }
    }

    /// What a message adds to its plaintext, so that lengths lie on both sides of the limit to the byte.
    private static let limit = ContentBatch.usualOutsizedLimit - 51
    private static let lengths = [
        limit - 1, limit, limit + 1, limit + 2, 100, 5 << 20, 0, (3 << 20) + 7, limit, 3 << 20, 4 << 20,
    ]

    private static func plaintext(_ number: Int, _ length: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: UInt8(number + 1), count: length)
        for index in stride(from: 0, to: length, by: 509) { bytes[index] = UInt8(truncatingIfNeeded: index / 509) }
        return bytes
    }

    /// Small ones around large ones, all under generation 1; generation 2 is active.
    private func run(_ body: (TestHome, KeyGroup, [String: [UInt8]]) throws -> Void) throws {
        try TestHome.run { home in
            let group = KeyGroup(home.home)
            var all: [String: [UInt8]] = [:]
            for (number, length) in Self.lengths.enumerated() {
                let names = TestHome.names(20, "small \(number)")
                try home.fill(names)
                for name in names { all[name] = TestHome.plaintext(name) }
                let large = Self.plaintext(number, length)
                try group.put("large \(number)", large, context: number % 2 == 0 ? nil : "context \(number)")
                all["large \(number)"] = large
            }
            try home.roll()
            try body(home, group, all)
        }
    }

    private func birth(_ name: String, _ home: TestHome) throws -> UInt32? {
        try home.store.secret(named: Array(name.utf8))?.birth
    }

    @Test(arguments: [1, 2, 8])
    func everyPlaintextStays(workers: Int) throws {
        try run { home, _, all in
            let outcome = try withDeadline { try home.reencrypt([1], workers: workers) }
            #expect(outcome.tally.numbers == [all.count, all.count, 0, 0, 0])
            #expect(try home.store.census().counts == [2: Int64(all.count)])
            #expect(try home.plaintexts() == all)
            for number in Self.lengths.indices { #expect(try birth("large \(number)", home) == 2) }
            let verified = try withDeadline { try home.verify(workers: workers) }
            #expect(verified.tally.moved == all.count)
            #expect(try home.reencrypt([1]).tally.numbers == [all.count, 0, all.count, 0, 0])
        }
    }

    @Test func aDryRunChangesNothing() throws {
        try run { home, _, all in
            let outcome = try home.reencrypt([1], isDryRun: true)
            #expect(outcome.tally.numbers == [all.count, all.count, 0, 0, 0])
            #expect(try home.store.census().counts == [1: Int64(all.count)])
            #expect(try home.plaintexts() == all)
        }
    }

    /// Replaced and removed between read and commit: what the application wrote stays.
    @Test func changedMeanwhile() throws {
        try run { home, group, all in
            let isFirst = Atomic(true)
            var hooks = WatchedStore.Hooks()
            hooks.onCommit = { _ in
                guard isFirst.exchange(false, ordering: .relaxed) else { return }
                try group.put("large 3", Self.plaintext(90, 3 << 20), replacing: true)
                try group.put("large 5", Self.plaintext(91, 10), replacing: true)
                try group.remove("large 7")
            }
            // The first commit is of what stands in front of the first outsized one, which the reader may be waiting for:
            // the others are read before or after the change, and both is well.
            let outcome = try home.reencrypt([1], in: WatchedStore(home.store, hooks), workers: 1)
            #expect(outcome.tally.addsUp && outcome.tally.failed.total == 0)
            var expected = all
            expected["large 3"] = Self.plaintext(90, 3 << 20)
            expected["large 5"] = Self.plaintext(91, 10)
            expected["large 7"] = nil
            #expect(try home.plaintexts() == expected)
            #expect(try home.store.recount().counts == [2: Int64(expected.count)])
        }
    }

    /// The very one that is about to be committed.
    @Test func superseded() throws {
        try TestHome.run { home in
            let group = KeyGroup(home.home)
            try group.put("large", Self.plaintext(1, 3 << 20))
            try home.roll()
            var hooks = WatchedStore.Hooks()
            hooks.onCommit = { if $0 == 1 { try group.put("large", Self.plaintext(2, 3 << 20), replacing: true) } }
            let outcome = try home.reencrypt([1], in: WatchedStore(home.store, hooks))
            #expect(outcome.tally.numbers == [1, 0, 0, 1, 0])
            #expect(try home.plaintexts() == ["large": Self.plaintext(2, 3 << 20)])
        }
    }

    /// What does not open stays as it is in the store, though the copy in memory is wiped.
    @Test func whatDoesNotOpenStays() throws {
        try run { home, _, all in
            try RawDatabase.run(
                home.store.place,
                """
                UPDATE secret SET body = CAST(substr(body, 1, 1000000) || X'00FF00FF' || substr(body, 1000005) AS BLOB)
                WHERE name = 'large 5'
                """)
            try home.flipWrappedKey("large 7")
            let closed: Set<String> = ["large 5", "large 7"]
            let before = try closed.map { try home.store.secret(named: Array($0.utf8)).map(Stored.init) }
            let outcome = try home.reencrypt([1])
            #expect(outcome.tally.numbers == [all.count, all.count - 2, 0, 0, 2])
            #expect(outcome.tally.failed[.integrityCheckFailed] == 2)
            #expect(Set(try home.store.quarantine().map(\.name)) == closed)
            let after = try closed.map { try home.store.secret(named: Array($0.utf8)).map(Stored.init) }
            #expect(after == before)
            #expect(try home.plaintexts(closed: closed) == all.filter { !closed.contains($0.key) })
        }
    }

    @Test(arguments: [1, 8], [2, 5])
    func aCommitFails(workers: Int, number: Int) throws {
        try run { home, _, all in
            var hooks = WatchedStore.Hooks()
            hooks.onCommit = { if $0 == number { throw Broken() } }
            let watched = WatchedStore(home.store, hooks)
            #expect(throws: Broken()) { try withDeadline { try home.reencrypt([1], in: watched, workers: workers) } }
            #expect(try home.store.recount() == home.store.census())
            #expect(try home.plaintexts() == all)
            let outcome = try withDeadline { try home.reencrypt([1], workers: workers) }
            #expect(outcome.tally.addsUp && outcome.tally.moved == all.count)
            #expect(try home.plaintexts() == all)
        }
    }

    /// There is no room for three of these at a time: the reader waits when the committer fails, and then when somebody
    /// asks for an end, and each time when all is well.
    @Test func theReaderWaitsForRoom() throws {
        try TestHome.run { home in
            let group = KeyGroup(home.home)
            let all = (0..<4).map { Self.plaintext($0, 24 << 20) }
            for (number, plaintext) in all.enumerated() { try group.put("large \(number)", plaintext) }
            try home.roll()
            var hooks = WatchedStore.Hooks()
            hooks.onCommit = { _ in
                usleep(300_000)
                throw Broken()
            }
            let failing = WatchedStore(home.store, hooks)
            #expect(throws: Broken()) { try withDeadline { try home.reencrypt([1], in: failing, workers: 8) } }
            #expect(try home.store.census().counts == [1: 4])
            let control = RunControl()
            hooks.onCommit = { _ in
                usleep(300_000)
                control.stop()
            }
            let stopping = WatchedStore(home.store, hooks)
            let first = try withDeadline { try home.reencrypt([1], in: stopping, workers: 8, control: control) }
            #expect(first.wasInterrupted && (2...3).contains(first.tally.moved))
            let second = try withDeadline { try home.reencrypt([1], workers: 8) }
            #expect(second.tally.numbers == [4, 4, 0, 0, 0])
            let found = try home.plaintexts()
            #expect(found.count == 4)
            for (number, plaintext) in all.enumerated() { #expect(found["large \(number)"] == plaintext) }
        }
    }

    @Test(arguments: [1, 8])
    func stoppedAndResumed(workers: Int) throws {
        try run { home, _, all in
            let control = RunControl()
            var hooks = WatchedStore.Hooks()
            hooks.afterCommit = { if $0 == 2 { control.stop() } }
            let watched = WatchedStore(home.store, hooks)
            let first = try withDeadline {
                try home.reencrypt([1], in: watched, workers: workers, control: control)
            }
            #expect(first.wasInterrupted && first.tally.addsUp)
            let second = try withDeadline { try home.reencrypt([1], workers: workers, job: "again") }
            #expect(second.wasResumed && second.tally.numbers == [all.count, all.count, 0, 0, 0])
            #expect(try home.plaintexts() == all)
        }
    }
}
