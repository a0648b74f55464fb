import Foundation
import Testing

/// Plaintext, passphrases and keys are where they have to be and nowhere else: Tests/secrecy, by strace and gcore.
@Suite(.disabled(if: Sanitizers.watch, "a sanitizer locks no memory")) struct SecrecyTests {
    private struct Life: Decodable {
        var commands: Int
        var systemCalls: Int
        var canaries: Int
        var files: Int
        var filesMade: Int
        var hits: Int
    }
    private struct Memory: Decodable {
        var lockedKiB: Int
        var keys: Int
        var hits: Int
        var otherProcess: Bool
    }

    private func run<Value: Decodable>(_ script: String, _ arguments: String...) throws -> Value {
        let outcome = try Python.attempt("../secrecy/\(script)", arguments)
        try #require(outcome.code == 0, "\(script): \(outcome.errors.suffix(2000))")
        print("\(script): \(outcome.text)")
        return try outcome.decoded()
    }

    /// Every argument, every byte read or written, every file, of a whole life with crashes in it.
    @Test func canariesThroughAWholeLife() throws {
        let home = try ScratchHome(isMade: false)
        let found: Life = try run("life.py", Keyroll.binary, home.folder + "/life")
        #expect(found.hits == 0 && found.commands >= 25 && found.canaries >= 30, "\(found)")
        #expect(found.systemCalls > 20_000 && found.files > 40 && found.filesMade > 60, "it looked at less: \(found)")
    }

    /// No core, no other process, and nothing in what root dumps.
    @Test func memoryIsClosed() throws {
        let folder = "/tmp/keyroll-test-memory-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let binary = TestUser.areThere ? try BrokerHome.command.get() : Keyroll.binary
        let found: Memory =
            TestUser.areThere
            ? try run("memory.py", binary, folder, TestUser.owner.rawValue) : try run("memory.py", binary, folder)
        #expect(found.hits == 0 && found.lockedKiB >= 64 && found.keys >= 20)
        #expect(found.otherProcess == TestUser.areThere)
    }
}
