import Foundation
import Glibc
import TestServers
import Testing

/// Workers that are killed at any moment, and others that go on.
@Suite struct FleetKillTests {
    /// Four workers, and fifty times one of them is killed and another one is started in its place.
    @Test func fiftyKills() throws {
        let count = 200_000
        let home = try FleetHome(count)
        let job = try home.plan()
        var random = SeededGenerator("fleet kills")
        // Slow enough that there is still something to do at the end.
        func start() throws -> Child { try home.work(job, "--max-rate", "12000") }
        var workers = try (0..<4).map { _ in try start() }
        var cut = 0
        for _ in 0..<50 {
            usleep(UInt32.random(in: 5_000...90_000, using: &random))
            let index = Int.random(in: 0..<4, using: &random)
            if workers[index].isRunning { cut += 1 }
            workers[index].signal(SIGKILL)
            workers[index] = try start()
        }
        #expect(cut == 50, "the job was over too early")
        let moved = try home.scratch.census().counts[2] ?? 0
        #expect(moved > 0 && moved < count)
        for worker in workers { worker.signal(SIGKILL) }
        let last = try (0..<4).map { _ in try home.work(job) }
        for worker in last {
            let outcome = worker.wait()
            #expect(outcome.code == 0, "\(outcome.errors)")
        }
        try home.expectMoved(count, by: job)
        let slots = try home.database.run("SELECT count(*) FROM keyroll.secret")
        #expect(slots == [["\(count)"]])
    }

    /// The one that ends the job is killed while it does: another rotation ends it.
    @Test func killedAtTheEnd() throws {
        let home = try FleetHome(20_000)
        let job = try home.plan()
        var random = SeededGenerator("fleet ends")
        for _ in 0..<5 {
            let worker = try home.work(job)
            usleep(UInt32.random(in: 50_000...400_000, using: &random))
            worker.signal(SIGKILL)
            _ = worker.wait()
        }
        let outcome = try home.keyroll("rotate", "--json")
        let report: Report = try outcome.decoded()
        #expect(report.addsUp)
        #expect(try home.scratch.census().counts == [2: 20_000])
        try home.scratch.expectAllOpen(20_000)
        let fleet = try home.keyroll.run(["status", "--json"]).object()["fleet"] as? [Any]
        #expect(fleet?.isEmpty == true)
    }
}
