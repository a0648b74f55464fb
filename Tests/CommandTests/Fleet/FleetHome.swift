import Foundation
import TestServers
import Testing

/// A home with a PostgreSQL store, and workers on it.
final class FleetHome: Sendable {
    let scratch: ScratchHome
    let database: Database
    var keyroll: Keyroll { scratch.keyroll }

    /// - Parameters:
    ///   - count: secrets in the PostgreSQL store.
    ///   - server: the server; nil for the shared one.
    init(_ count: Int, on server: PostgresServer? = nil) throws {
        scratch = try ScratchHome()
        database = try (server ?? PostgresServer.shared).database()
        try scratch.keyroll("store", "add", "pg", "--kind", "postgres", "--connection", database.connection)
        if count > 0 {
            let file = try scratch.write("accounts.jsonl", Secrets.accounts(count))
            try scratch.keyroll("import", file, "--store", "pg")
        }
    }

    /// Rolls, and plans a job for workers.
    func plan(sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let outcome = try keyroll("rotate", "--force", "--fleet", "--detach", sourceLocation: sourceLocation)
        try #require(outcome.lines.count == 1, "\(outcome.text)", sourceLocation: sourceLocation)
        return outcome.lines[0]
    }

    /// Starts a worker.
    func work(_ job: String, lease: String = "2s", _ more: String...) throws -> Child {
        try keyroll.start(["work", "--job", job, "--lease", lease, "--workers", "1", "--json"] + more)
    }

    /// The report of the whole job, which whoever ended it wrote.
    func report(of job: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Report {
        let file = URL(fileURLWithPath: scratch.file("reports/\(job).json"))
        let data = try #require(try? Data(contentsOf: file), "nobody ended \(job)", sourceLocation: sourceLocation)
        return try JSONDecoder().decode(Report.self, from: data)
    }

    /// Every secret was moved, by one worker and once, and opens.
    func expectMoved(_ count: Int, by job: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let report = try report(of: job, sourceLocation: sourceLocation)
        #expect(report.addsUp && report.scanned == count, "\(report)", sourceLocation: sourceLocation)
        #expect(report.moved == count && report.superseded == 0, "\(report)", sourceLocation: sourceLocation)
        let census = try scratch.census()
        #expect(census.counts == [census.active ?? 0: count], "\(census)", sourceLocation: sourceLocation)
        let fleet = try keyroll.run(["status", "--json"]).object()["fleet"] as? [Any]
        #expect(fleet?.isEmpty == true, "the job is over", sourceLocation: sourceLocation)
        try scratch.expectAllOpen(count, sourceLocation: sourceLocation)
    }

    /// Waits until workers have moved some and not all.
    func waitUntilHalfMoved(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for _ in 0..<2000 {
            let census = try scratch.census()
            let moved = census.counts[census.active ?? 0] ?? 0
            if moved > 0 {
                try #require(moved < census.secrets, "it was too fast", sourceLocation: sourceLocation)
                return
            }
            usleep(5000)
        }
        Issue.record("nothing was moved", sourceLocation: sourceLocation)
    }
}
