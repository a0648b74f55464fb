import Foundation
import Testing

/// `rotate` and what it leaves behind.
@Suite struct RotateTests {
    @Test func everyRotationMovesEverySecretOnce() throws {
        let home = try ScratchHome()
        let secrets = Secrets(500)
        try home.fill(secrets)
        for generation in 2...5 {
            let report: Report = try home.keyroll("rotate", "--force", "--json").decoded()
            #expect(report.addsUp && report.scanned == 500 && report.moved == 500, "\(report)")
            #expect(report.generation == generation && !report.resumed && !report.dryRun)
            let census = try home.census()
            #expect(census.counts == [generation: 500] && census.active == generation && !census.overdue)
            #expect(census.generations.filter { $0.state == "deactivated" }.count == generation - 1)
            try home.expectContents(secrets)
        }
        try home.keyroll("doctor")
    }

    @Test func birthGenerationStays() throws {
        let home = try ScratchHome()
        try home.keyroll("put", "first", input: Data("plaintext".utf8))
        for _ in 0..<3 { try home.keyroll("rotate", "--force") }
        try home.keyroll("put", "last", input: Data("plaintext".utf8))
        for (name, birth) in [("first", 1), ("last", 4)] {
            let explained = try home.keyroll("explain", name).text
            #expect(explained.contains("birth generation: \(birth) ") && explained.contains("generation: 4 (active)"))
            #expect(explained.contains("it opens: 9 bytes"))
            let message = try home.keyroll("export", name, "--format", "cose").objects()[0]
            #expect(message["birth"] as? Int == birth && message["generation"] as? Int == 4)
        }
    }

    @Test func contentIsNotTouched() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(50))
        func bodies() throws -> [String: String] {
            let lines = try home.keyroll("export", "--format", "cose").objects()
            return try Dictionary(
                uniqueKeysWithValues: lines.map { line in
                    let message = try #require((line["message"] as? String).flatMap { Data(base64Encoded: $0) })
                    // The recipients are the last 70 bytes.
                    return (try #require(line["name"] as? String), message.dropLast(70).base64EncodedString())
                })
        }
        let before = try bodies()
        try home.keyroll("rotate", "--force")
        #expect(try bodies() == before)
    }

    @Test func nothingToDoAnswersAndChangesNothing() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(100))
        try home.keyroll("rotate", "--force")
        let before = try home.files().filter { $0.key.hasSuffix(".sqlite") }
        let report: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(report.scanned == 0 && report.moved == 0 && report.plan == [] && report.generation == 2)
        #expect(try home.keyroll("rotate").text.contains("nothing to do"))
        #expect(try home.files().filter { $0.key.hasSuffix(".sqlite") } == before)
    }

    @Test func emptyHomeRolls() throws {
        let home = try ScratchHome()
        let report: Report = try home.keyroll("rotate", "--force", "--json").decoded()
        #expect(report.addsUp && report.scanned == 0 && report.generation == 2)
        try home.keyroll("put", "name", input: Data("plaintext".utf8))
        #expect(try home.census().counts == [2: 1])
    }

    @Test(arguments: [1, 2, 7]) func anyNumberOfWorkers(_ workers: Int) throws {
        let home = try ScratchHome()
        let accounts = Secrets.accounts(30_000)
        try home.keyroll("import", home.write("in.jsonl", accounts), "--workers", "\(workers)")
        let report: Report = try home.keyroll("rotate", "--force", "--json", "--workers", "\(workers)").decoded()
        #expect(report.addsUp && report.moved == 30_000)
        #expect(try home.keyroll("export", "--format", "jsonl").output == accounts)
        try home.expectAllOpen(30_000)
    }

    @Test func maxRateHolds() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(1000))
        let start = ContinuousClock.now
        try home.keyroll("rotate", "--force", "--max-rate", "1000")
        #expect(start.duration(to: .now) > .milliseconds(800))
        #expect(try home.census().counts == [2: 1000])
    }

    @Test func reportIsKept() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(10))
        let answer = try home.keyroll("rotate", "--force", "--json")
        let kept = try Data(contentsOf: URL(fileURLWithPath: home.file("reports/last-rotate.json")))
        #expect(kept == answer.output)
    }
}
