import Files
import Glibc
import Home
import Interchange
import KeyManagement
import Keyroll
import Rotation
import SecretStores
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(15))) struct ImportRunTests {
    private func importing(
        _ text: String, into home: TestHome, as keeper: RingKeeper? = nil, store: (any SecretStore)? = nil,
        replace: Bool = false, isDryRun: Bool = false, workers: Int = 2
    ) throws -> ImportRun.Outcome {
        let path = home.folder.path + "/input.jsonl"
        try Array(text.utf8).withUnsafeBytes { try PrivateFile.write(path, $0, replacing: true) }
        return try ImportRun(
            store ?? home.store, keeper: keeper ?? home.keeper, replace: replace,
            options: RunOptions(workers: workers, isDryRun: isDryRun), control: RunControl()
        ).run(RecordSource(paths: [path], format: nil, wholeRow: false))
    }

    private func line(_ name: String, _ secret: String, context: String? = nil) -> String {
        let extra = context.map { #","context":"\#($0)""# } ?? ""
        return #"{"name":"\#(name)","secret":"\#(secret)"\#(extra)}"# + "\n"
    }

    private func text(_ home: TestHome, _ name: String) throws -> String {
        try KeyGroup(home.home).get(name) { String(decoding: $0, as: UTF8.self) }
    }

    @Test func newUnchangedKeptReplaced() throws {
        try TestHome.run { home in
            let first = line("a", "1") + line("b", "2", context: "c") + line("d", "3")
            let new = try importing(first, into: home)
            #expect(new.tally.added == 3 && new.records == 3 && new.problemCount == 0)
            let slot = try home.slot("a")
            // The same again changes nothing, not even a data key.
            let same = try importing(first, into: home)
            #expect(same.tally.unchanged == 3 && same.tally.added == 0 && same.problems.isEmpty)
            #expect(try home.slot("a") == slot)
            // Another secret, another context, no context.
            let other = line("a", "other") + line("b", "2", context: "x") + line("b", "2") + line("e", "5")
            let kept = try importing(other, into: home)
            #expect(kept.tally.kept == 3 && kept.tally.added == 1 && kept.problemCount == 3)
            #expect(kept.problems.map(\.line) == [1, 2, 3])
            #expect(try text(home, "a") == "1")
            let replaced = try importing(other, into: home, replace: true)
            #expect(replaced.tally.replaced == 3 && replaced.tally.unchanged == 1 && replaced.problemCount == 0)
            #expect(try text(home, "a") == "other" && text(home, "b") == "2")
            #expect(try home.store.secret(named: Array("b".utf8))?.context == nil)
            #expect(try home.slot("a") != slot)
            #expect(try home.store.census().counts == [1: 4])
        }
    }

    @Test func aDryRunWritesNothing() throws {
        try TestHome.run { home in
            _ = try importing(line("a", "1") + line("b", "2"), into: home)
            let outcome = try importing(line("a", "1") + line("b", "x") + line("c", "3"), into: home, isDryRun: true)
            #expect(outcome.tally.unchanged == 1 && outcome.tally.kept == 1 && outcome.tally.added == 1)
            #expect(try home.store.census().total == 2)
        }
    }

    /// One that is stored and cannot be opened is not the same; it is written over only if that was asked for.
    @Test func overADamagedSecret() throws {
        try TestHome.run { home in
            _ = try importing(line("a", "1"), into: home)
            try home.flipWrappedKey("a")
            #expect(try importing(line("a", "1"), into: home).tally.kept == 1)
            #expect(try importing(line("a", "1"), into: home, replace: true).tally.replaced == 1)
            #expect(try text(home, "a") == "1")
        }
    }

    @Test(arguments: [1, 3])
    func manyRecords(workers: Int) throws {
        try TestHome.run { home in
            let count = 20_000
            let lines = (0..<count).map { line("name \($0)", "secret \($0)") }.joined()
            let outcome = try importing(lines, into: home, workers: workers)
            #expect(outcome.tally.added == count && outcome.records == count)
            let found = try home.plaintexts()
            #expect(found.count == count)
            for number in stride(from: 0, to: count, by: 97) {
                #expect(found["name \(number)"] == Array("secret \(number)".utf8))
            }
            #expect(try importing(lines, into: home, workers: workers).tally.unchanged == count)
        }
    }

    /// Another process rolls and rewraps while an import is on: nothing is lost, and nothing stays behind.
    @Test func besideARoll() throws {
        try TestHome.run { home in
            let count = 30_000
            let lines = (0..<count).map { line("name \($0)", "secret \($0)") }.joined()
            let importer = try home.again()
            let isOver = Atomic(false)
            _ = try inParallel(2) { number in
                if number == 0 {
                    defer { isOver.store(true, ordering: .relaxed) }
                    let outcome = try importing(lines, into: home, as: importer.keeper, store: importer.store)
                    #expect(outcome.tally.added == count)
                } else {
                    for round in 0..<3 {
                        let enough = Int64(round * 8000 + 1000)
                        while try home.store.census().total < enough, !isOver.load(ordering: .relaxed) { usleep(1000) }
                        try home.roll()
                        let outcome = try home.rewrap(job: "round \(round)")
                        #expect(outcome.tally.addsUp && outcome.tally.failed.total == 0)
                    }
                }
            }
            _ = try home.rewrap(job: "last")
            #expect(try home.store.census().counts == [4: Int64(count)])
            let found = try home.plaintexts()
            #expect(found.count == count)
            for number in 0..<count where found["name \(number)"] != Array("secret \(number)".utf8) {
                Issue.record("name \(number)")
            }
        }
    }
}
