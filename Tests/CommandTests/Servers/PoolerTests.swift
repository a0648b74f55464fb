import Foundation
import TestServers
import Testing

/// Everything through PgBouncer, which hands each transaction to another connection.
@Suite(.timeLimit(.minutes(15))) struct PoolerTests {
    @Test func everything() throws {
        let database = try PostgresServer.shared.database()
        let pooler = try PgBouncer(before: database.server)
        let home = try ScratchHome.served(pooler.connection(database), 5000)
        try home.keyroll("put", "a", input: Data("x".utf8))
        try home.keyroll("put", "a", "--replace", input: Data("y".utf8))
        try home.keyroll("mv", "a", "b")
        #expect(try home.keyroll("get", "b").text == "y")
        #expect(try home.keyroll("list").lines.count == 5001)
        try home.keyroll("rotate", "--force")
        let fleet: Report = try home.keyroll("rotate", "--force", "--fleet", "--json").decoded()
        #expect(fleet.moved == 5001 && fleet.addsUp)
        let anew: Report = try home.keyroll("reencrypt", "--compromised", "3", "--json").decoded()
        #expect(anew.moved == 5001 && anew.addsUp)
        try home.keyroll("rm", "b")
        try home.keyroll("doctor")
        try home.keyroll("backup", home.folder + "/backup")
        try home.expectAllOpen(5000)
        // Writers and a rotation at once, over fewer connections than there are clients.
        let clients = try (0..<6).map { number in
            try Child(
                "/bin/sh",
                [
                    "-c",
                    "for n in 1 2 3 4 5 6 7 8 9 10; do printf \(number)-$n | \(Keyroll.binary) put w\(number)-$n || exit 1; done",
                ], environment: ["PATH": "/usr/bin:/bin", "KEYROLL_HOME": home.path])
        }
        try home.keyroll("rotate", "--force")
        for client in clients { #expect(client.wait().code == 0, "\(client.errorsSoFar)") }
        try home.keyroll("rotate")
        try home.expectAllOpen(5060)
        #expect(try home.keyroll("get", "w3-7").text == "3-7")
    }
}
