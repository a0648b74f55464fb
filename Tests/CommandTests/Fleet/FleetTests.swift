import Foundation
import Glibc
import TestServers
import Testing

/// A rotation that processes share.
@Suite struct FleetTests {
    /// Alone, without any worker: whoever planned it does it.
    @Test func alone() throws {
        let home = try FleetHome(20_000)
        let report: Report = try home.keyroll("rotate", "--force", "--fleet", "--json").decoded()
        #expect(report.addsUp && report.moved == 20_000 && report.scanned == 20_000)
        try home.expectMoved(20_000, by: report.job)
    }

    /// Nothing to share: no job, no name.
    @Test func nothingToDo() throws {
        let home = try FleetHome(100)
        let outcome = try home.keyroll("rotate", "--fleet", "--detach")
        #expect(outcome.output.isEmpty)
        try home.keyroll("work", "--job", "no-such-job", exits: 66).expectRefusal("no-such-job")
    }

    /// Several at once: each secret is one worker's, and one of them ends the job.
    @Test func severalWorkers() throws {
        let home = try FleetHome(100_000)
        let job = try home.plan()
        let before = try home.keyroll.run(["status", "--json"]).object()["fleet"] as? [[String: Any]]
        #expect(before?.first?["job"] as? String == job)
        #expect((before?.first?["ranges"] as? Int ?? 0) > 4)
        let workers = try (0..<4).map { _ in try home.work(job, "--max-rate", "60000") }
        try home.waitUntilHalfMoved()
        let during = try home.keyroll.run(["status", "--json"]).object()["fleet"] as? [[String: Any]]
        let seen = during?.first?["workers"] as? [[String: Any]] ?? []
        #expect(Set(seen.compactMap { $0["pid"] as? Int }).isSubset(of: Set(workers.map { Int($0.pid) })))
        #expect(!seen.isEmpty && seen.allSatisfy { ($0["host"] as? String)?.isEmpty == false })
        #expect(during?.first?["secondsLeft"] is Int)
        var moved = 0
        for worker in workers {
            let outcome = worker.wait()
            #expect(outcome.code == 0, "\(outcome.errors)")
            let report: Report = try outcome.decoded()
            #expect(report.addsUp)
            moved += report.moved
        }
        #expect(moved == 100_000)
        try home.expectMoved(100_000, by: job)
        // Who comes afterwards finds nothing to do.
        let late: Report = try home.work(job).wait().decoded()
        #expect(late.scanned == 0)
    }

    /// Whoever planned it and stays works along, and waits for the others.
    @Test func besideThePlanner() throws {
        let home = try FleetHome(100_000)
        let planner = try home.keyroll.start(
            ["rotate", "--force", "--fleet", "--json", "--workers", "1", "--max-rate", "40000"])
        var job: String?
        while job == nil, planner.isRunning {
            let fleet = try home.keyroll.run(["status", "--json"]).object()["fleet"] as? [[String: Any]]
            job = fleet?.first?["job"] as? String
        }
        let worker = try home.work(try #require(job))
        #expect(worker.wait().code == 0)
        let report: Report = try planner.wait().decoded()
        #expect(report.addsUp && report.scanned == 100_000 && report.job == job)
        try home.expectMoved(100_000, by: report.job)
    }

    /// SIGTERM: the range is given back at once, however long its lease.
    @Test func endedWorkersGiveTheirRangesBack() throws {
        let home = try FleetHome(60_000)
        let job = try home.plan()
        let worker = try home.work(job, lease: "1h", "--max-rate", "20000")
        try home.waitUntilHalfMoved()
        worker.signal(SIGTERM)
        let ended = worker.wait()
        #expect(ended.code == 75, "\(ended.errors)")
        let first: Report = try ended.decoded()
        #expect(first.interrupted && first.moved > 0)
        let start = Date()
        let second: Report = try home.work(job).wait().decoded()
        #expect(Date().timeIntervalSince(start) < 20)
        #expect(first.moved + second.moved == 60_000)
        try home.expectMoved(60_000, by: job)
    }

    /// A worker that was held up longer than its lease: others have taken its range over, and it commits nothing more there.
    @Test func aWorkerThatWasHeldUp() throws {
        let home = try FleetHome(60_000)
        let job = try home.plan()
        let held = try home.work(job, "--max-rate", "20000")
        try home.waitUntilHalfMoved()
        held.signal(SIGSTOP)
        let other = try home.work(job).wait()
        #expect(other.code == 0, "\(other.errors)")
        try home.expectMoved(60_000, by: job)
        held.signal(SIGCONT)
        let outcome = held.wait()
        #expect(outcome.code == 0, "\(outcome.errors)")
        let (first, second): (Report, Report) = try (outcome.decoded(), other.decoded())
        #expect(first.moved + second.moved == 60_000)
        try home.expectMoved(60_000, by: job)
    }

    /// A plain rotate finds the job and joins it.
    @Test func aPlainRotationJoins() throws {
        let home = try FleetHome(30_000)
        let job = try home.plan()
        let report: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(report.job == job && report.moved == 30_000)
        try home.expectMoved(30_000, by: job)
    }

    /// Another generation was activated meanwhile: the job is over, and the next one does the rest.
    @Test func aJobThatIsOver() throws {
        let home = try FleetHome(30_000)
        let first = try home.plan()
        let second = try home.plan()
        #expect(first != second)
        let late = try home.work(first).wait()
        let report: Report = try late.decoded()
        #expect(late.code == 0 && report.moved == 0, "\(late.errors)")
        #expect(try home.work(second).wait().code == 0)
        try home.expectMoved(30_000, by: second)
    }

    /// Two stores of PostgreSQL and one of SQLite in one group.
    @Test func severalStores() throws {
        let home = try FleetHome(20_000)
        try home.keyroll(
            "store", "add", "shard", "--kind", "postgres", "--connection", home.database.connection, "--schema", "shard"
        )
        for (store, prefix) in [("shard", "b"), ("secrets", "c")] {
            let lines = (0..<5000).map { "{\"name\":\"\(prefix)/\($0)\",\"secret\":\"x\"}\n" }.joined()
            try home.keyroll("import", home.scratch.write("\(prefix).jsonl", lines), "--store", store)
        }
        let job = try home.plan()
        #expect(try home.scratch.census().counts[2] == 5000, "the planner itself does what cannot be shared")
        #expect(try home.work(job).wait().code == 0)
        let report = try home.report(of: job)
        #expect(report.moved == 25_000)
        #expect(try home.scratch.census().counts == [2: 30_000])
        try home.scratch.expectAllOpen(30_000)
    }
}

/// Workers on other hosts: their homes have the configuration and the root key, and nothing else.
@Suite struct OtherHostTests {
    @Test func aWorkerWithoutBundles() throws {
        let database = try PostgresServer.shared.database()
        let home = try ScratchHome(isMade: false)
        let group = "hosts\(UInt32.random(in: 0 ... .max))"
        try home.keyroll(
            "init", "--group", group, "--recovery-key", home.recoveryKey, "--repository", "postgres",
            "--repository-connection", database.connection)
        try home.keyroll(
            "store", "copy", "secrets", "pg", "--kind", "postgres", "--connection", database.connection)
        try home.keyroll("store", "remove", "secrets")
        try home.setPolicy(["soakTime": "0", "keepDeactivated": "0"])
        let file = try home.write("accounts.jsonl", Secrets.accounts(20_000))
        try home.keyroll("import", file)
        let job = try home.keyroll("rotate", "--force", "--fleet", "--detach").lines[0]

        let other = try ScratchHome(isMade: false)
        try home.copy(["keyroll.yaml", "root.key"], to: other.path)
        try other.setMode("", 0o700)
        for name in ["keyroll.yaml", "root.key"] { try other.setMode(name, 0o600) }
        let worker: Report = try other.keyroll("work", "--job", job, "--json").decoded()
        #expect(worker.moved == 20_000)
        let names = try FileManager.default.contentsOfDirectory(atPath: other.path)
        #expect(!names.contains("evidence.jsonl") && !names.contains("bundles"), "\(names)")
        // The end is the first host's.
        #expect(!FileManager.default.fileExists(atPath: home.file("reports/\(job).json")))
        let report: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(report.job == job && report.addsUp && report.moved == 20_000)
        #expect(try home.census().generations.map(\.archived) == [true, false])
        try home.expectBundlesWhole()
        // The other host has the newest ring as well.
        let verified: Report = try other.keyroll("verify", "--json").decoded()
        #expect(verified.current == 20_000)
    }
}
