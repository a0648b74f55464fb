import Foundation
import TestServers
import Testing

/// A home whose secrets lie in PostgreSQL alone, through everything that can become of them.
@Suite struct WholeLifeTests {
    /// A home without an embedded store.
    private func home(_ secrets: Secrets) throws -> (ScratchHome, Database) {
        let home = try ScratchHome.quick()
        let database = try PostgresServer.shared.database()
        try home.keyroll("store", "copy", "secrets", "pg", "--kind", "postgres", "--connection", database.connection)
        try home.keyroll("store", "remove", "secrets")
        try FileManager.default.removeItem(atPath: home.file("secrets.sqlite"))
        try home.fill(secrets)
        return (home, database)
    }

    /// Rotations, retirement behind the gate, and the old generation again.
    @Test func rotatesAndRetires() throws {
        let secrets = Secrets(300)
        let (home, database) = try home(secrets)
        try home.keyroll("rotate", "--force")
        try home.keyroll("rotate", "--force")
        let census = try home.census()
        #expect(census.counts == [3: 300])
        #expect(census.generations.map(\.archived) == [true, true, false])
        try home.expectContents(secrets)
        try home.keyroll("doctor")
        // Somebody puts an old slot back: the gate keeps what it needs.
        try home.keyroll("archive", "restore", "--generation", "2", "--for", "1h", "--reason", "test")
        #expect(try database.run("SELECT fence FROM keyroll.store") == [["3"]])
    }

    /// One secret that nobody can move: the others are, it is named, and its generation stays.
    @Test func oneBadSecret() throws {
        let (home, database) = try home(Secrets(100))
        try database.run(
            "UPDATE keyroll.key_page SET slots = set_byte(slots, 20, get_byte(slots, 20) # 1) WHERE page = 1")
        let outcome = try home.keyroll("rotate", "--force", "--json", exits: 65)
        let report: Report = try outcome.decoded()
        #expect(report.addsUp && report.moved == 99 && report.failed["integrityCheckFailed"] == 1)
        #expect(report.faults.count == 1)
        #expect(try home.keyroll("quarantine", "list", exits: 3).lines.count == 1)
        let retired = try home.keyroll.run(["generation", "retire", "1"])
        #expect(retired.code == 77, "\(retired.errors)")
        try home.keyroll("put", report.faults[0].name, "--replace", input: Data("new".utf8))
        try home.keyroll("rotate")
        #expect(try home.census().counts == [2: 100])
    }

    /// After a compromise: new data keys, and the old ring with the old pages opens nothing of today.
    @Test func encryptsAnew() throws {
        let secrets = Secrets(500, bytes: 5000)
        let (home, database) = try home(secrets)
        let before = try database.run("SELECT name, md5(body) FROM keyroll.secret ORDER BY name")
        let report: Report = try home.keyroll("reencrypt", "--compromised", "1", "--json").decoded()
        #expect(report.addsUp && report.moved == 500)
        let after = try database.run("SELECT name, md5(body) FROM keyroll.secret ORDER BY name")
        #expect(before.map { $0[0] } == after.map { $0[0] } && zip(before, after).allSatisfy { $0[1] != $1[1] })
        #expect(try database.run("SELECT DISTINCT birth FROM keyroll.secret") == [["2"]])
        try home.expectContents(secrets)
    }

    /// A backup is a home of its own, with the store as a file; and it goes back to a server.
    @Test func backsUpAndComesBack() throws {
        var secrets = Secrets(2000)
        secrets.plaintexts["large"] = Data(repeating: 7, count: 5 << 20)
        secrets.plaintexts["empty"] = Data()
        secrets.contexts["large"] = "a context"
        let (home, _) = try home(secrets)
        try home.keyroll("backup", home.folder + "/backup", "--with-root")
        try home.keyroll("put", "later", input: Data("x".utf8))
        let restored = Keyroll(home: home.folder + "/restored")
        try restored("restore", home.folder + "/backup")
        #expect(try restored.secrets() == secrets)
        try restored("doctor")
        let database = try PostgresServer.shared.database()
        let source = try #require(try restored("store", "list").lines.first?.split(separator: "\t").first)
        try restored(
            "store", "copy", String(source), "again", "--kind", "postgres", "--connection", database.connection)
        try restored("store", "remove", String(source))
        #expect(try restored.secrets() == secrets)
        #expect(try database.run("SELECT count(*) FROM keyroll.secret") == [["\(secrets.plaintexts.count)"]])
        try restored("rotate", "--force")
        try restored("verify")
    }

    /// The ring is lost: from the bundles and the recovery key, for a store on a server.
    @Test func recoversTheRing() throws {
        let secrets = Secrets(200)
        let (home, _) = try home(secrets)
        try home.keyroll("rotate", "--force")
        for name in ["keys.sqlite", "keys-copy.sqlite", "root.key"] {
            try FileManager.default.removeItem(atPath: home.file(name))
        }
        try home.keyroll("recover", "--key", home.recoveryKey)
        try home.expectContents(secrets)
    }
}
