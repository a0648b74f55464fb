import Foundation
import TestServers
import Testing

/// That the servers of the tests are what they claim to be: a test that passes beside a broken one proves nothing.
@Suite struct PostgresServerTests {
    @Test func valuesComeBackAsTheyAre() throws {
        let database = try PostgresServer.shared.database()
        let rows = try database.run(
            """
            CREATE TABLE kept (name text, value bytea);
            INSERT INTO kept VALUES (E'a,"b"\\r\\n', '\\x00ff'), ('', NULL);
            SELECT name, value FROM kept;
            SELECT 'second', count(*) FROM kept;
            """)
        #expect(rows == [["a,\"b\"\r\n", "\\x00ff"], ["", nil], ["second", "2"]])
        #expect(throws: ServerError.self) { try database.run("SELECT nothing") }
        #expect(
            try PostgresServer.run("SELECT current_database()", connection: database.connection) == [[database.name]])
    }

    @Test func databasesAreSeparateAndRolesAreThemselves() throws {
        let server = try PostgresServer.shared
        let (one, two) = try (server.database(), server.database("LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"))
        try one.run("CREATE TABLE kept ()")
        #expect(throws: ServerError.self) { try two.run("SELECT FROM kept") }
        #expect(try two.run("SELECT 'B' > 'a'") == [["t"]])
        try server.role("a reader")
        #expect(try one.run("SELECT current_user", as: "a reader") == [["a reader"]])
        #expect(throws: ServerError.self) { try one.run("SELECT FROM kept", as: "a reader") }
        try one.drop()
        #expect(throws: ServerError.self) { try one.run("SELECT") }
    }

    @Test func whatWasCommittedOutlivesAKill() throws {
        let server = try PostgresServer(.init(parent: "/tmp", configuration: ["work_mem = 1234kB"]))
        let database = try server.database()
        #expect(try database.run("SHOW work_mem") == [["1234kB"]])
        try database.run("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")
        for round in 2...3 {
            try server.kill()
            #expect(throws: ServerError.self) { try database.run("SELECT") }
            try server.start()
            try database.run("INSERT INTO kept VALUES (\(round))")
        }
        try server.stop(.immediate)
        try server.start()
        #expect(try database.run("SELECT count(*) FROM kept") == [["3"]])
    }

    @Test func itEndsWithWhoeverHoldsIt() throws {
        var server: PostgresServer? = try PostgresServer()
        let (folder, process) = try (#require(server?.socketFolder), #require(server?.postmaster))
        #expect(FileManager.default.fileExists(atPath: folder) && kill(process, 0) == 0)
        server = nil
        #expect(!FileManager.default.fileExists(atPath: folder))
        let command = (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? ""
        #expect(!command.contains("postgres"), "it still runs")
    }

    @Test func sessionsAreEnded() throws {
        let database = try PostgresServer.shared.database()
        let sleeper = Thread { _ = try? database.run("SELECT pg_sleep(60)") }
        sleeper.start()
        let count =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(60)' AND datname = '\(database.name)'"
        while try database.run(count) != [["1"]] { usleep(10_000) }
        #expect(try database.terminateBackends() == 1)
        #expect(try database.run(count) == [["0"]])
    }

    @Test(arguments: ServerCertificates.Kind.allCases) func certificatesAreChecked(_ kind: ServerCertificates.Kind)
        throws
    {
        let server = try PostgresServer(.init(tcp: .tls(kind)))
        try server.role("writer", "PASSWORD 'it''s \\ 1'")
        let question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        let right = try server.tcpConnection("postgres", as: "writer", password: "it's \\ 1")
        switch kind {
        case .good:
            #expect(try PostgresServer.run(question, connection: right) == [["t"]])
            let wrong = try server.tcpConnection("postgres", as: "writer", password: "other")
            expectRefusal(wrong, "password authentication failed")
            expectRefusal(right + " sslmode=disable", "no encryption")
        case .expired: expectRefusal(right, "certificate verify failed")
        case .otherHost: expectRefusal(right, "elsewhere.example")
        }
        // The certificate is all that is wrong.
        #expect(try PostgresServer.run(question, connection: right + " sslmode=require sslrootcert=none") == [["t"]])
    }

    private func expectRefusal(
        _ connection: String, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: ServerError.self, sourceLocation: sourceLocation) {
            try PostgresServer.run("SELECT", connection: connection)
        }
        #expect(error?.description.contains(reason) == true, "\(error as Any)", sourceLocation: sourceLocation)
    }
}
