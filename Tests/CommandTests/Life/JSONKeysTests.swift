import Foundation
import Glibc
import Testing

/// The keys of `--json` answers, which other programs rely on.
@Suite struct JSONKeysTests {
    static let job: Set<String> = [
        "job", "scanned", "moved", "current", "superseded", "failed", "seconds", "secretsPerSecond", "stages",
        "generation",
    ]

    static let commands = [
        ["rotate", "--force"], ["rotate"], ["rotate", "--force", "--dry-run"], ["verify"], ["run", "JOB"],
        ["quarantine", "retry"],
    ]

    @Test(arguments: commands) func jobHasTheDesignsKeys(_ command: [String]) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(20))
        let file = try home.write("job.yaml", "job: rotate\n")
        let outcome = try home.keyroll.run(command.map { $0 == "JOB" ? file : $0 } + ["--json"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let answer = try outcome.object()
        #expect(Self.job.subtracting(answer.keys) == [])
        let failed = try #require(answer["failed"] as? [String: Int])
        #expect(failed.keys.contains("total") && failed.values.allSatisfy { $0 == 0 })
        #expect(answer["stages"] is [String: Double] && answer["seconds"] is Double && answer["job"] is String)
        let report: Report = try outcome.decoded()
        #expect(report.addsUp)
    }

    @Test func verifyCountsWhatOpens() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(321))
        let report: Report = try home.keyroll("verify", "--json").decoded()
        #expect(report.addsUp && report.scanned == 321 && report.current == 321 && report.moved == 0)
    }

    @Test func importSaysWhatItDid() throws {
        let home = try ScratchHome()
        let file = try home.write("in.jsonl", Secrets(30).jsonLines())
        let first = try home.keyroll("import", file, "--json")
        #expect(Self.job.subtracting(try first.object().keys) == [])
        #expect(try first.decoded(Report.self).imported == .init(added: 30))
        #expect(try home.keyroll("import", file, "--json").decoded(Report.self).imported == .init(unchanged: 30))
    }

    @Test func statusHasTheDesignsKeys() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(5))
        try home.keyroll("rotate", "--force")
        let answer = try home.keyroll("status", "--json").object()
        #expect(Set(["group", "overdue", "secrets", "generations"]).subtracting(answer.keys) == [])
        #expect(answer["group"] as? String == "default" && answer["secrets"] as? Int == 5)
        let generations = try #require(answer["generations"] as? [[String: Any]])
        #expect(generations.map { $0["number"] as? Int } == [1, 2])
        for generation in generations {
            let needed: Set = ["number", "state", "archived", "secrets", "created", "activated"]
            #expect(needed.subtracting(generation.keys) == [])
            #expect(try Date.ISO8601FormatStyle().parse(#require(generation["created"] as? String)) < Date.now + 60)
        }
        #expect(generations[0]["deactivated"] is String && generations[1]["deactivated"] == nil)
    }

    @Test func statusForPeopleSaysTheSame() throws {
        let home = try ScratchHome(isMade: false)
        try home.keyroll("init", "--group", "payments")
        try home.fill(Secrets(7))
        try home.keyroll("rotate", "--force")
        let text = try home.keyroll("status").text
        #expect(text.contains("group payments: 7 secrets, nothing overdue"))
        #expect(text.contains("deactivated") && text.contains("active"))
    }

    @Test func progressDoesNotMixIntoTheAnswer() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(3000, bytes: 8))
        let child = try home.keyroll.start(["rotate", "--force", "--json", "--max-rate", "3000"])
        try home.waitUntilAtWork(child)
        while !child.errorsSoFar.contains("rewrap: "), child.isRunning {
            child.signal(SIGUSR1)
            usleep(20_000)
        }
        let outcome = child.wait()
        #expect(outcome.code == 0 && outcome.errors.contains("rewrap: "), "\(outcome.errors)")
        #expect(try outcome.decoded(Report.self).moved == 3000)
    }
}
