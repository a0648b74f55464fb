import Foundation
import TestServers
import Testing

/// `keyroll init --repository postgres`
@Suite struct RingInitTests {
    @Test func aHomeWithoutKeyFiles() throws {
        let ring = try RingHome()
        let secrets = Secrets(40)
        try ring.home.fill(secrets)
        let report: Report = try ring.keyroll("rotate", "--force", "--json").decoded()
        #expect(report.addsUp && report.moved == 40 && report.generation == 2)
        try ring.home.expectContents(secrets)
        try ring.keyroll("doctor")
        try ring.home.expectBundlesWhole()
        #expect(!ring.home.has("keys.sqlite") && !ring.home.has("keys-copy.sqlite"))
        #expect(try ring.rows()[0] == ring.rows()[1] && ring.rows()[0].count == 1)
        // Once more, in another folder, for the same group.
        let other = try ScratchHome(isMade: false)
        let before = try ring.rows()
        let outcome = try other.keyroll.run(ring.words)
        #expect(outcome.code == 73)
        outcome.expectRefusal("ring of group \(ring.group)", "exists already")
        #expect(!ring.exists(other.path))
        #expect(try ring.rows() == before)
        try ring.home.expectContents(secrets)
    }

    /// Through an administrator: the printed SQL, real `psql`, and a role that may make none.
    @Test func theSQLIsForAnAdministrator() throws {
        let ring = try RingHome(mayMakeRoles: false, isMade: false)
        let refused = try ring.keyroll.run(ring.words)
        #expect(refused.code == 77)
        refused.expectRefusal("role \(ring.login) may not make", "--print-sql")
        #expect(try !ring.hasTables && !ring.exists(ring.home.path))

        let printed = try ring.keyroll.run(ring.words + ["--print-sql"])
        #expect(printed.code == 0 && printed.errors.isEmpty)
        #expect(printed.text.contains("GRANT \(ring.owner) TO \"\(ring.login)\""))
        #expect(try !ring.hasTables && !ring.exists(ring.home.path))
        for _ in 0..<2 { try ring.database.run(printed.text) }

        try ring.initialize()
        let secrets = Secrets(10)
        try ring.home.fill(secrets)
        try ring.home.expectContents(secrets)
        #expect(
            try ring.database.run("SELECT tableowner FROM pg_tables WHERE tablename = 'ring'") == [["keyroll_tables"]])
    }

    /// No connection is needed to print it.
    @Test func theSQLNeedsNoServer() throws {
        let home = try ScratchHome(isMade: false)
        let outcome = try home.keyroll("init", "--repository", "postgres", "--group", "mail", "--print-sql")
        #expect(outcome.text.contains("CREATE TABLE"))
        #expect(outcome.text.contains("GRANT keyroll_mail_owner TO their_role"))
        #expect(!FileManager.default.fileExists(atPath: home.path))
    }

    private static let faults = Preload.library("faults", in: "faults")

    /// The command with a fault: see `Tests/faults/faults.c`.
    private static func faulty(_ ring: RingHome, _ variables: [String: String]) throws -> Keyroll {
        var keyroll = ring.keyroll
        keyroll.variables = try variables.merging([
            "LD_PRELOAD": faults.get(), "FAULTS_ROOT": ring.home.folder, "FAULTS_CALLS": "rename",
        ]) { $1 }
        return keyroll
    }

    /// Whole or not at all: where the home cannot get its name, the ring goes again, and so does the recovery key.
    @Test func nothingIsLeftOfAHalfMadeHome() throws {
        let other = try RingHome(isMade: false)
        let count = other.home.folder + "/count"
        #expect(try Self.faulty(other, ["FAULTS_COUNT": count]).run(other.words).code == 0)
        let renames = try #require(try String(contentsOfFile: count, encoding: .utf8).split(separator: " ").first)

        let ring = try RingHome(isMade: false)
        let outcome = try Self.faulty(ring, ["FAULTS_AT": String(renames), "FAULTS_MODE": "fail:EIO"])
            .run(ring.words + ["--recovery-key", ring.home.recoveryKey])
        #expect(outcome.code == 74)
        outcome.expectRefusal("cannot move the new home into place")
        #expect(try ring.rows() == [[], []])
        #expect(try ring.database.run("SELECT 1 FROM keyroll_ring.ring_aside").isEmpty)
        #expect(!ring.exists(ring.home.recoveryKey) && !ring.exists(ring.home.path))
        try ring.initialize()
        try ring.keyroll("put", "a", input: Data("b".utf8))
        let names = try FileManager.default.contentsOfDirectory(atPath: ring.home.folder)
        #expect(names.allSatisfy { !$0.contains(".new-") }, "\(names)")
    }

    /// Before anything is made on the server.
    @Test func nothingIsMadeOverAFolder() throws {
        let ring = try RingHome(isMade: false)
        try FileManager.default.createDirectory(atPath: ring.home.file("full"), withIntermediateDirectories: true)
        let outcome = try ring.keyroll.run(ring.words + ["--recovery-key", ring.home.recoveryKey])
        #expect(outcome.code == 73)
        outcome.expectRefusal("the folder is not empty")
        #expect(try ring.database.run("SELECT to_regclass('keyroll_ring.ring') IS NULL") == [["t"]])
        #expect(!ring.exists(ring.home.recoveryKey))
    }

    @Test func wrongUsage() throws {
        let home = try ScratchHome(isMade: false)
        let postgres = ["init", "--repository", "postgres"]
        for words in [
            postgres, ["init", "--print-sql"], ["init", "--repository-connection", "service=x"],
            postgres + ["--repository-connection", "host=x password=y"],
            postgres + ["--repository-connection", "host=x", "--repository-schema", "a b"],
        ] { #expect(try home.keyroll.run(words).code == 64, "\(words)") }
        let away = try home.keyroll.run(postgres + ["--repository-connection", "host=/nonexistent dbname=x"])
        #expect(away.code == 69)
        away.expectRefusal("/nonexistent")
        #expect(!FileManager.default.fileExists(atPath: home.path))
    }
}
