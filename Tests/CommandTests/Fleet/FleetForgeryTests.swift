import Foundation
import TestServers
import Testing

/// What somebody who can write the store's tables does to a job: nothing is skipped.
@Suite struct FleetForgeryTests {
    /// Ranges that say they are done: what is left is found by its count.
    @Test func rangesThatWereNotDone() throws {
        let home = try FleetHome(60_000)
        let job = try home.plan()
        try home.database.run("UPDATE keyroll.job_range SET done = true")
        let outcome = try home.work(job).wait()
        #expect(outcome.code == 0, "\(outcome.errors)")
        let census = try home.scratch.census()
        #expect(census.counts == [2: 60_000])
        try home.scratch.expectAllOpen(60_000)
    }

    /// A range's journal with another place to go on from, and one of another range.
    @Test(arguments: ["set_byte(content, 60, 255)", "(SELECT content FROM keyroll.job_range WHERE number = 1)"])
    func journalsThatNobodyWrote(content: String) throws {
        let home = try FleetHome(60_000)
        let job = try home.plan()
        let worker = try home.work(job, "--max-rate", "20000")
        try home.waitUntilHalfMoved()
        worker.signal(15)
        _ = worker.wait()
        try home.database.run(
            """
            UPDATE keyroll.job_range SET content = \(content), mac = (SELECT mac FROM keyroll.job_range WHERE number = 1)
            WHERE NOT done
            """)
        let outcome = try home.work(job).wait()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try home.scratch.census().counts == [2: 60_000])
        try home.scratch.expectAllOpen(60_000)
    }

    /// A job's record that nobody with the ring wrote.
    @Test func aForgedJob() throws {
        let home = try FleetHome(1000)
        let job = try home.plan()
        try home.database.run("UPDATE keyroll.job SET content = set_byte(content, 40, get_byte(content, 40) # 1)")
        let outcome = try home.work(job).wait()
        #expect(outcome.code == 78)
        outcome.expectRefusal("not authentic")
        // The next rotation plans anew.
        let report: Report = try home.keyroll("rotate", "--fleet", "--json").decoded()
        #expect(report.moved == 1000 && report.job != job)
        try home.expectMoved(1000, by: report.job)
    }
}
