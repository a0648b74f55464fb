import Foundation
import Glibc
import TestServers
import Testing

/// Servers that go away, keep silent, only read, or have no room.
@Suite(.serialized, .timeLimit(.minutes(15))) struct LostServerTests {
    /// SIGKILL to the whole server in the middle of rotations and imports; it starts again, and a plain rerun goes on.
    @Test func killedAndStartedAgain() throws {
        let server = try PostgresServer()
        let database = try server.database()
        let home = try ScratchHome.served(database.connection, 50_000)
        var random = SeededGenerator("killed servers")
        var cut = 0
        for round in 0..<6 {
            let job = try home.keyroll.start(["rotate", "--force", "--max-rate", "150000", "--json"])
            usleep(UInt32.random(in: 30_000...350_000, using: &random))
            try server.kill()
            let outcome = job.wait()
            #expect([0, 69].contains(outcome.code), "round \(round): \(outcome.code) \(outcome.errors)")
            if outcome.code == 69 { cut += 1 }
            try server.start()
            let again = try home.keyroll.run(["rotate", "--json"])
            #expect(again.code == 0, "\(again.errors)")
            let census = try home.scratchCensus()
            #expect(census.counts == [census.active ?? 0: 50_000], "\(census)")
        }
        #expect(cut > 0)
        try home.expectAllOpen(50_000)
        try home.keyroll("doctor")
        // An import: what it has not said is not there in part.
        let lines = (0..<20_000).map { "{\"name\":\"late/\($0)\",\"secret\":\"s\($0)\"}\n" }.joined()
        let file = try home.write("late.jsonl", lines)
        let importing = try home.keyroll.start(["import", file])
        usleep(250_000)
        try server.kill()
        let outcome = importing.wait()
        #expect([0, 69].contains(outcome.code), "\(outcome.errors)")
        try server.start()
        try home.keyroll("import", file)
        try home.expectAllOpen(70_000)
        try home.keyroll("doctor")
        try server.stop()
    }

    /// An administrator ends the sessions: the job says so, and the next run goes on.
    @Test func endedSessions() throws {
        let database = try PostgresServer.shared.database()
        let home = try ScratchHome.served(database.connection, 30_000)
        for _ in 0..<3 {
            let job = try home.keyroll.start(["rotate", "--force", "--max-rate", "60000"])
            usleep(250_000)
            try database.terminateBackends()
            let outcome = job.wait()
            #expect([0, 69].contains(outcome.code), "\(outcome.errors)")
            try home.keyroll("rotate")
        }
        try home.expectAllOpen(30_000)
    }

    /// A worker waits for a server that is away for a while.
    @Test func aWorkerWaits() throws {
        let server = try PostgresServer()
        let home = try FleetHome(30_000, on: server)
        let job = try home.plan()
        let worker = try home.work(job, lease: "30s", "--max-rate", "20000")
        try home.waitUntilHalfMoved()
        try server.kill()
        usleep(700_000)
        try server.start()
        let outcome = worker.wait()
        #expect(outcome.code == 0, "\(outcome.errors)")
        let census = try home.scratch.census()
        #expect(census.counts == [2: 30_000])
        try home.scratch.expectAllOpen(30_000)
        try server.stop()
    }

    /// A connection that hangs: nobody waits for ever.
    @Test func silence() throws {
        let database = try PostgresServer.shared.database()
        let proxy = try StallingProxy(before: database.server)
        let home = try ScratchHome.served(database.connection, 20_000)
        try home.setStore("connection", proxy.connection(database.name))
        try home.setStore("timeout", "2s")
        let job = try home.keyroll.start(["rotate", "--force", "--max-rate", "20000"])
        usleep(400_000)
        proxy.stall()
        let start = Date()
        let outcome = job.wait()
        #expect(outcome.code == 69, "\(outcome.errors)")
        #expect(outcome.errors.contains("did not answer for 2 s"), "\(outcome.errors)")
        try home.keyroll("get", "accounts/1", exits: 69)
        try home.keyroll("put", "new", input: Data("x".utf8), exits: 69)
        #expect(Date().timeIntervalSince(start) < 15)
        proxy.resume()
        try home.keyroll("rotate")
        try home.expectAllOpen(20_000)
    }

    /// A standby answers, and takes nothing.
    @Test func aServerThatOnlyReads() throws {
        let server = try PostgresServer()
        let database = try server.database()
        let home = try ScratchHome.served(database.connection, 100)
        let standby = try PostgresServer(replicaOf: server)
        try standby.waitUntilItHasAll(of: server)
        try home.setStore("connection", standby.database(named: database.name).connection)
        try home.keyroll("get", "accounts/5")
        try home.keyroll("verify")
        try home.keyroll("put", "new", input: Data("x".utf8), exits: 69).expectRefusal("only reads")
        try home.keyroll("rotate", "--force", exits: 69)
        try home.setStore("connection", database.connection)
        try home.keyroll("rotate")
        try home.expectAllOpen(100)
        try standby.stop()
        try server.stop()
    }

    /// The volume of the database is full.
    @Test func aFullDisk() throws {
        let server = try PostgresServer()
        let volume = "/tmp/keyroll-volume-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: volume, withIntermediateDirectories: true)
        let user = geteuid() == 0 ? getpwnam("postgres")?.pointee.pw_uid ?? 0 : geteuid()
        try #require(mount("tmpfs", volume, "tmpfs", 0, "size=24m,mode=700,uid=\(user)") == 0, "tests run as root")
        defer {
            try? server.stop(.immediate)
            umount(volume)
            rmdir(volume)
        }
        try server.run("CREATE TABLESPACE small LOCATION '\(volume)'")
        let database = try server.database("TABLESPACE small")
        let home = try ScratchHome.served(database.connection, 2000)
        let before = try home.scratchCensus().secrets
        let lines = (0..<200_000).map { "{\"name\":\"more/\($0)\",\"secret\":\"s\($0)\"}\n" }.joined()
        let outcome = try home.keyroll.run(["import", home.write("more.jsonl", lines)])
        #expect(outcome.code == 74, "\(outcome.errors)")
        #expect(outcome.errors.contains("No space left"), "\(outcome.errors)")
        let count = try home.scratchCensus().secrets
        #expect(count > before)
        #expect(try database.run("SELECT count(*) FROM keyroll.secret") == [["\(count)"]])
        try home.expectAllOpen(count)
        try home.keyroll("doctor")
    }
}

extension ScratchHome {
    /// What `status` counts, once the server takes connections.
    fileprivate func scratchCensus() throws -> Census { try keyroll.run(["status", "--json"]).decoded() }
}
