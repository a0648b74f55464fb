import Foundation
import Testing

/// Destroying: asked for and recoverable, then final; refused while anything that is kept needs the generation.
@Suite struct DestructionTests {
    private let home: ScratchHome
    private let secrets = Secrets(20)

    /// Generation 1 is archived, 2 is active.
    init() throws {
        home = try ScratchHome.quick()
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
    }

    private func destroy(
        _ number: Int = 1, _ more: String..., exits code: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let arguments = ["generation", "destroy", "\(number)"] + more
        let outcome = try home.keyroll.run(arguments)
        #expect(outcome.code == code, "\(arguments): \(outcome)", sourceLocation: sourceLocation)
        return outcome
    }

    private func hasBundle(_ number: Int) -> Bool { FileManager.default.fileExists(atPath: home.bundle(number)) }

    @Test func requestCancelAndFinal() throws {
        try destroy(1, "--confirm", "1", exits: 77).expectRefusal("was not asked for")
        try destroy(1, "--cancel", exits: 77).expectRefusal("no destruction of generation 1 is waiting")
        try destroy(1, "--confirm", "2", exits: 64).expectErrors(["--confirm 2 is not generation 1"])
        let asked = try destroy(1, "--reason", "the contract ended")
        #expect(asked.text.contains("still there: bundle \(home.bundle(1)): opens with archive-key, recovery-key"))
        try destroy(1, exits: 73).expectRefusal("asked for already")
        _ = try home.keyroll(
            "archive", "restore", "--generation", "1", "--for", "1d", "--reason", "why", exits: 77)
        try home.keyroll("rotate", "--force")
        #expect(hasBundle(1), "until it is final nothing is deleted")
        _ = try destroy(1, "--cancel")
        try home.keyroll("archive", "restore", "--generation", "1", "--for", "1d", "--reason", "why")

        _ = try destroy(1, "--reason", "the contract ended")
        #expect(!home.has("bundles/none") && hasBundle(1))
        let done = try destroy(1, "--confirm", "1")
        #expect(done.text == "generation 1 is destroyed\n")
        #expect(!hasBundle(1) && hasBundle(2) && hasBundle(3))
        // The record stays.
        let listed = try home.keyroll("generation", "list").text
        #expect(listed.contains("destroyed: the contract ended"), "\(listed)")
        #expect(try home.census().generations[0].state == "destroyed")
        let last = try #require(try home.evidence().last { $0["kind"] as? String == "destruction" })
        #expect((last["facts"] as? [String: Any])?["decision"] as? String == "final", "\(last)")
        // Once more changes nothing; nothing brings it back.
        _ = try destroy(1, "--confirm", "1")
        try destroy(1, exits: 77).expectRefusal("cannot be destroyed")
        try home.keyroll("archive", "restore", "--generation", "1", "--for", "1d", "--reason", "why", exits: 66)
        try home.keyroll("rotate", "--force")
        try home.expectContents(secrets)
        try home.keyroll("doctor")
    }

    @Test func notBeforeItsRetentionIsOver() throws {
        try home.setPolicy(["destroyRetention": "3s"])
        _ = try destroy(1)
        try destroy(1, "--confirm", "1", exits: 77).expectRefusal("can be recovered until")
        #expect(hasBundle(1))
        Thread.sleep(forTimeInterval: 3.1)
        _ = try destroy(1, "--confirm", "1")
        #expect(!hasBundle(1))
    }

    @Test func ninetyDaysByDefault() throws {
        try home.setPolicy(["destroyRetention": "90d"])
        _ = try destroy(1)
        try destroy(1, "--confirm", "1", exits: 77).expectRefusal("can be recovered until")
    }

    @Test func notWhileItIsOnLine() throws {
        try destroy(2, exits: 77).expectRefusal("20 secrets are under generation 2")
        try home.setPolicy(["keepDeactivated": "3"])
        try home.keyroll("rotate", "--force")
        try destroy(2, exits: 77).expectRefusal("generation 2 is on line")
        try destroy(9, exits: 66).expectRefusal("no generation 9")
        _ = try destroy(1, "--cancel", exits: 77)
        #expect(hasBundle(1) && hasBundle(2))
    }

    @Test func notWhileABackupNeedsIt() throws {
        let end = Date().addingTimeInterval(3)
        try home.keyroll("backup", home.folder + "/of-2", "--keep-until", end.ISO8601Format())
        let snapshot = try home.keyroll(
            "backup", "register", "--store", "secrets.sqlite", "--at", "2099-01-01T00:00:00Z")
        #expect(snapshot.text.contains("snapshot copy"))
        try home.keyroll("rotate", "--force")
        // By 2099 generation 2 was on line as far as was known when that was registered; 1 was archived already.
        let listed = try home.keyroll("backup", "list").lines
        #expect(listed.count == 2)
        let identity = try #require(listed.last?.split(separator: "\t").first.map(String.init))
        Thread.sleep(until: end.addingTimeInterval(1))
        try destroy(2, exits: 77).expectRefusal("1 registered copies still need generation 2", identity)
        _ = try destroy(1)
        _ = try destroy(1, "--confirm", "1")
        try home.keyroll("backup", "forget", identity)
        try home.keyroll("backup", "forget", identity, exits: 66)
        // What was kept until a day that is over does not count; but what still opens it is listed.
        let asked = try destroy(2)
        #expect(asked.text.contains("home copy"), "\(asked.text)")
        // A backup that is registered between the request and the end counts as well.
        let late = try home.keyroll("backup", "register", home.folder + "/of-2/secrets.sqlite")
        try destroy(2, "--confirm", "2", exits: 77).expectRefusal("still need generation 2")
        let name = try #require(late.text.split(separator: " ").dropFirst(2).first.map(String.init))
        try home.keyroll("backup", "forget", name)
        _ = try destroy(2, "--confirm", "2")
        try home.expectContents(secrets)
    }

    @Test func notWhileTheQuarantineIsOpen() throws {
        try Python.damage(home, "flip-key", "secret-4")
        try home.keyroll("rotate", "--force", exits: 65)
        try destroy(1, exits: 77).expectRefusal("1 secrets are quarantined")
        try home.keyroll("generation", "retire", "2", exits: 77).expectRefusal("1 quarantined secrets could be its")
        try home.keyroll("quarantine", "accept", "secret-4", "--reason", "lost")
        _ = try destroy(1)
        _ = try destroy(1, "--confirm", "1")
        #expect(!hasBundle(1))
        // The slot that was accepted as lost does not hold its generation on line.
        try home.keyroll("rotate", exits: 0)
        #expect(try home.census().generations[1].archived)
    }

    /// Whatever else runs: bundles and sealed keys stay.
    @Test func nothingElseDeletesKeys() throws {
        for round in 0..<3 {
            try home.keyroll("rotate", "--force")
            try home.keyroll("archive", "create")
            try home.keyroll("archive", "rehearse")
            try home.keyroll("reencrypt", "--compromised", "\(round * 2 + 3)")
            try home.keyroll("root", "change")
        }
        try home.keyroll("doctor")
        let census = try home.census()
        #expect(census.generations.count == 8)
        for generation in census.generations {
            #expect(hasBundle(generation.number))
            try home.keyroll("archive", "verify", home.bundle(generation.number), "--key", home.recoveryKey)
        }
        try home.expectContents(secrets)
    }
}
