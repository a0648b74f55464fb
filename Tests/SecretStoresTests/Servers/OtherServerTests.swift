import Foundation
import TestServers
import Testing

/// What stands beside or before a PostgreSQL server.
@Suite struct OtherServerTests {
    @Test func aStandbyFollowsAndOnlyReads() throws {
        let primary = try PostgresServer()
        let database = try primary.database()
        try database.run("CREATE TABLE kept (id int)")
        let standby = try PostgresServer(replicaOf: primary)
        try database.run("INSERT INTO kept VALUES (7)")
        try standby.waitUntilItHasAll(of: primary)
        let copy = standby.database(named: database.name)
        #expect(try copy.run("SELECT id FROM kept") == [["7"]])
        let refusal = #expect(throws: ServerError.self) { try copy.run("INSERT INTO kept VALUES (8)") }
        #expect(refusal?.description.contains("read-only transaction") == true)
    }

    @Test func aBouncerSharesSessionsBetweenTransactions() throws {
        let server = try PostgresServer()
        let database = try server.database()
        let bouncer = try PgBouncer(before: server, settings: ["default_pool_size = 1"])
        try server.role("writer")
        #expect(
            try PostgresServer.run("SELECT current_user", connection: bouncer.connection(database, as: "writer")) == [
                ["writer"]
            ])
        // A session's setting is there for the next client, which a session of its own would not see.
        try PostgresServer.run(
            "SET application_name = 'left behind'; SET work_mem = '1234kB'", connection: bouncer.connection(database))
        #expect(try PostgresServer.run("SHOW work_mem", connection: bouncer.connection(database)) == [["1234kB"]])
    }

    @Test(arguments: [false, true]) func aStalledProxyHoldsEverything(overTCP: Bool) throws {
        let server = try PostgresServer.shared
        let proxy = try StallingProxy(before: server, overTCP: overTCP)
        let connection = try proxy.connection("postgres")
        // More than the buffers on the way hold.
        let long = "SELECT length(repeat('x', 5000000)), repeat('x', 5000000)"
        #expect(try PostgresServer.run(long, connection: connection)[0][1]?.utf8.count == 5_000_000)

        proxy.stall()
        let answer = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let rows = try? PostgresServer.run("SELECT 1", connection: connection)
            if rows == [["1"]] { answer.signal() }
        }
        while proxy.accepted < 2 { usleep(1000) }
        #expect(answer.wait(timeout: .now() + 0.5) == .timedOut)
        proxy.resume()
        #expect(answer.wait(timeout: .now() + 30) == .success)
    }

    @Test func aStalledProxyHoldsTLS() throws {
        let server = try PostgresServer(.init(tcp: .tls(.good)))
        try server.role("writer", "PASSWORD 'word'")
        let proxy = try StallingProxy(before: server, overTCP: true)
        let connection = try proxy.connection("postgres", as: "writer", password: "word")
        #expect(
            try PostgresServer.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", connection: connection)
                == [["t"]])
    }
}
