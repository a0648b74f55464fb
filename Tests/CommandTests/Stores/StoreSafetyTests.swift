import Foundation
import TestServers
import Testing

/// What must not come back, and what must not be taken away.
@Suite struct StoreSafetyTests {
    /// An application that still has only the old store deletes and renames: it does not come back with the copy.
    @Test func whatWasDeletedAfterTheCopy() throws {
        let home = try ScratchHome()
        for name in ["n1", "n2", "n3"] { try home.keyroll("put", name, input: Data(name.utf8)) }
        let old = try Data(contentsOf: URL(fileURLWithPath: home.file("keyroll.yaml")))
        let database = try PostgresServer.shared.database()
        try home.keyroll("store", "copy", "secrets", "web", "--kind", "postgres", "--connection", database.connection)
        let new = try Data(contentsOf: URL(fileURLWithPath: home.file("keyroll.yaml")))
        try old.write(to: URL(fileURLWithPath: home.file("keyroll.yaml")))
        try home.keyroll("rm", "n2")
        try home.keyroll("mv", "n3", "m3")
        try new.write(to: URL(fileURLWithPath: home.file("keyroll.yaml")))
        let outcome = try home.keyroll("store", "copy", "secrets", "web", exits: 65)
        #expect(outcome.errors.contains("2 secrets of 'web'"), "\(outcome.errors)")
        try home.keyroll("store", "remove", "secrets", exits: 77).expectRefusal("2 secrets of store 'web'", "n")
        for name in ["n2", "n3"] { try home.keyroll("rm", name) }
        try home.keyroll("store", "remove", "secrets")
        #expect(try home.keyroll("list").lines == ["m3", "n1"])
    }

    /// One store under two names is one store.
    @Test func theSameStoreTwice() throws {
        let home = try ScratchHome()
        let database = try PostgresServer.shared.database()
        try home.keyroll("store", "add", "pg", "--kind", "postgres", "--connection", database.connection)
        let words = "dbname=\(database.name) host=\(database.server.socketFolder) user=postgres"
        try home.keyroll("store", "add", "twin", "--kind", "postgres", "--connection", words, exits: 73)
        try FileManager.default.linkItem(atPath: home.file("secrets.sqlite"), toPath: home.folder + "/twin.sqlite")
        let linked = try home.keyroll.run([
            "store", "add", "twin", "--kind", "sqlite", "--path", home.folder + "/twin.sqlite",
        ])
        #expect(linked.code != 0, "\(linked.errors)")
    }

    /// A host that does not know all stores of the group takes no key away.
    @Test func anotherHostDoesNotRetire() throws {
        let database = try PostgresServer.shared.database()
        let home = try ScratchHome(isMade: false)
        try home.keyroll(
            "init", "--group", "safe\(UInt32.random(in: 0 ... .max))", "--recovery-key", home.recoveryKey,
            "--repository",
            "postgres", "--repository-connection", database.connection)
        try home.setPolicy(["soakTime": "0", "keepDeactivated": "0"])
        try home.keyroll("store", "copy", "secrets", "pg", "--kind", "postgres", "--connection", database.connection)
        try home.keyroll("store", "remove", "secrets")
        let other = try ScratchHome(isMade: false)
        try home.copy(["keyroll.yaml", "root.key"], to: other.path)
        try other.setMode("", 0o700)
        for name in ["keyroll.yaml", "root.key"] { try other.setMode(name, 0o600) }
        try home.keyroll(
            "store", "add", "second", "--kind", "postgres", "--connection", database.connection, "--schema", "second")
        try home.keyroll("put", "z", "--store", "second", input: Data("z".utf8))
        for _ in 0..<3 { _ = try other.keyroll.run(["rotate", "--force"]) }
        #expect(try home.census().generations.allSatisfy { !$0.archived })
        #expect(try other.keyroll.run(["generation", "retire", "1"]).code == 77)
        #expect(try home.keyroll("get", "z").text == "z")
        // The host that knows them all does it.
        try home.keyroll("rotate")
        #expect(try home.keyroll("get", "z").text == "z")
    }

    /// A job to a generation that is not active any more, or that a plain rotation has made needless, is ended.
    @Test func leftoverJobsAreEnded() throws {
        let home = try FleetHome(2000)
        let job = try home.plan()
        try home.keyroll("rotate", "--force")
        let fleet = try home.keyroll.run(["status", "--json"]).object()["fleet"] as? [Any]
        #expect(fleet?.isEmpty == true)
        #expect(try home.work(job).wait().code == 0)
    }

    /// A lease that no batch can keep is refused, instead of being lost again and again.
    @Test func aLeaseThatIsTooShort() throws {
        let home = try FleetHome(1000)
        let job = try home.plan()
        try home.keyroll("work", "--job", job, "--lease", "2s", "--max-rate", "8", exits: 64).expectRefusal("--lease")
        try home.keyroll("work", "--job", job)
    }
}
