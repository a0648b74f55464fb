import Foundation
import Testing

/// `reencrypt`: the job after a compromise.
@Suite struct ReencryptTests {
    /// What an exported message tells of a secret.
    private struct Message: Decodable {
        var name: String
        var generation: Int
        var birth: Int
        var message: String
    }

    private func messages(_ home: ScratchHome) throws -> [String: Message] {
        let lines = try home.keyroll("export", "--format", "cose").text.split(separator: "\n")
        let decoded = try lines.map { try JSONDecoder().decode(Message.self, from: Data($0.utf8)) }
        return Dictionary(uniqueKeysWithValues: decoded.map { ($0.name, $0) })
    }

    /// Born in generations 1, 2 and 3, all rewrapped to 3.
    private func threeBirths() throws -> (ScratchHome, Secrets) {
        let home = try ScratchHome()
        var all: [String: Data] = [:]
        for birth in 1...3 {
            let secrets = Secrets(200, "born-\(birth)")
            try home.fill(secrets)
            all.merge(secrets.plaintexts) { $1 }
            if birth < 3 { try home.keyroll("rotate", "--force") }
        }
        return (home, Secrets(all))
    }

    @Test func theFirstGenerationExposesWhatWasRewrappedLongAgo() throws {
        let (home, secrets) = try threeBirths()
        let before = try messages(home)
        let report: Report = try home.keyroll("reencrypt", "--compromised", "1", "--json").decoded()
        #expect(report.addsUp && report.scanned == 600 && report.moved == 200 && report.current == 400, "\(report)")
        let after = try messages(home)
        for (name, message) in after {
            let isExposed = name.hasPrefix("born-1")
            #expect(message.birth == (isExposed ? 4 : before[name]?.birth), "\(name)")
            #expect(message.generation == (isExposed ? 4 : 3), "\(name)")
            // A new data key and nonce: not one byte of the ciphertext is the same place for place by plan.
            #expect((message.message == before[name]?.message) == !isExposed, "\(name)")
        }
        #expect(try home.keyroll("generation", "list").text.contains("compromised: reported as compromised"))
        try home.expectContents(secrets)
        try home.keyroll("rotate")
        try home.expectContents(secrets)
        try home.keyroll("doctor")
    }

    @Test func aMiddleGenerationExposesWhatItHeldAtAnyTime() throws {
        let (home, secrets) = try threeBirths()
        let report: Report = try home.keyroll("reencrypt", "--compromised", "2", "--json").decoded()
        // Born under 1 and rewrapped to 2 on the way, or born under 2; what was born under 3 was never under 2.
        #expect(report.moved == 400 && report.current == 200, "\(report)")
        let after = try messages(home)
        #expect(after.values.allSatisfy { $0.birth == ($0.name.hasPrefix("born-3") ? 3 : 4) })
        try home.expectContents(secrets)
    }

    @Test func anotherRunHasNothingToDoAndMakesNoGeneration() throws {
        let (home, _) = try threeBirths()
        try home.keyroll("reencrypt", "--compromised", "1,3")
        let report: Report = try home.keyroll("reencrypt", "--compromised", "3,1", "--json").decoded()
        #expect(report.moved == 0 && report.current == 600 && report.generation == 4, "\(report)")
    }

    @Test func aDryRunChangesNothing() throws {
        let (home, _) = try threeBirths()
        let before = try home.files().filter { $0.key.hasSuffix(".sqlite") }
        let report: Report = try home.keyroll("reencrypt", "--compromised", "1", "--dry-run", "--json").decoded()
        #expect(report.moved == 200 && report.current == 400, "\(report)")
        #expect(try home.files().filter { $0.key.hasSuffix(".sqlite") } == before)
    }

    @Test func anUnknownGenerationIsRefused() throws {
        let home = try ScratchHome()
        let outcome = try home.keyroll.run(["reencrypt", "--compromised", "7"])
        #expect(outcome.code == 66)
        outcome.expectRefusal("no generation 7")
        #expect(try home.keyroll.run(["reencrypt", "--compromised", "zero"]).code == 64)
        #expect(try home.census().active == 1)
    }

    @Test func killedAnywhereItIsSimplyRunAgain() throws {
        let home = try ScratchHome()
        let secrets = Secrets(20_000)
        try home.fill(secrets)
        for attempt in 0..<5 {
            let child = try home.keyroll.start(["reencrypt", "--compromised", "1", "--max-rate", "40000"])
            usleep(UInt32(60_000 + attempt * 70_000))
            child.signal(SIGKILL)
            _ = child.wait()
            try home.expectAllOpen(20_000)
        }
        try home.keyroll("reencrypt", "--compromised", "1")
        let after = try messages(home)
        #expect(after.count == 20_000 && after.values.allSatisfy { $0.birth > 1 })
        // The attempts share one new generation: the mark is found again.
        #expect(try home.census().generations.count == 2)
        try home.expectContents(secrets)
        try home.keyroll("doctor")
    }

    @Test func theJobFileRunsIt() throws {
        let (home, secrets) = try threeBirths()
        let job = try home.write("job.yaml", "job: reencrypt\ncompromised: 1\nreason: a test\n")
        let report: Report = try home.keyroll("run", job, "--json").decoded()
        #expect(report.moved == 200)
        try home.expectContents(secrets)
        let wrong = try home.write("wrong.yaml", "job: reencrypt\n")
        #expect(try home.keyroll.run(["run", wrong]).code == 78)
    }
}
