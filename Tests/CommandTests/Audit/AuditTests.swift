import Foundation
import Testing

/// The audit log as the real commands write and verify it.
@Suite struct AuditTests {
    private struct Verdict: Decodable {
        var entries: Int
        var last: Int
        var hash: String
        var checkpoints: Int
        var unsigned: Int
        var tornBytes: Int
    }

    private func entries(_ home: ScratchHome, _ filters: String...) throws -> [[String: Any]] {
        let outcome = try home.keyroll.run(["audit", "export"] + filters)
        try #require(outcome.code == 0, "\(outcome.errors)")
        return try outcome.output.split(separator: 10).map {
            try #require(try JSONSerialization.jsonObject(with: $0) as? [String: Any])
        }
    }

    private func events(_ entries: [[String: Any]]) -> [String] {
        entries.compactMap { ($0["facts"] as? [String: Any])?["event"] as? String }
    }

    private func segment(_ home: ScratchHome) -> String { home.file("audit/00000000000000000001.jsonl") }

    @Test func keysAndJobsAreLoggedAndAnIdleRunIsNot() throws {
        let home = try ScratchHome()
        #expect(try events(entries(home, "--kind", "key")) == ["group created", "published", "activated"])
        let secrets = Secrets(20)
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
        #expect(
            try events(entries(home, "--kind", "key"))
                == ["group created", "published", "activated", "published", "deactivated", "activated"])
        let jobs = try entries(home, "--kind", "job")
        let facts = try #require(jobs.last?["facts"] as? [String: Any])
        #expect(facts["kind"] as? String == "rotate")
        #expect(facts["scanned"] as? Int == 20 && facts["moved"] as? Int == 20)
        #expect(facts["evidenceRecords"] as? Int == 3 && (facts["evidenceHash"] as? String)?.count == 64)
        #expect((jobs.last?["actor"] as? [String: Any])?["uid"] as? Int == Int(getuid()))

        let head = try home.keyroll("audit", "head").output
        try home.keyroll("rotate")
        try home.keyroll("status")
        try home.keyroll("get", try #require(secrets.plaintexts.keys.first))
        #expect(try home.keyroll("audit", "head").output == head)
        try home.keyroll("audit", "verify")
        // What is refused is in it, too.
        try home.keyroll("generation", "retire", "1", exits: 77)
        let refused = try #require(try entries(home, "--kind", "job").last)
        #expect(refused["outcome"] as? String == "refused" && refused["reason"] is String)
        try home.keyroll("audit", "verify")
    }

    @Test func failedSecretsAreNamed() throws {
        let home = try ScratchHome()
        let secrets = Secrets(10)
        try home.fill(secrets)
        let name = try #require(secrets.plaintexts.keys.sorted().first)
        try Python.damage(home, "flip-key", name)
        let outcome = try home.keyroll.run(["rotate", "--force"])
        #expect(outcome.code == 65)
        let failed = try #require(try entries(home, "--kind", "failedSecrets").last)
        #expect((failed["facts"] as? [String: Any])?["secrets"] as? [String] == [name])
        let job = try #require(try entries(home, "--kind", "job").last)
        #expect(job["outcome"] as? String == "failed")
    }

    @Test func anIndependentVerifierAgrees() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(5))
        for _ in 0..<3 { try home.keyroll("rotate", "--force") }
        let verdict: Verdict = try home.keyroll("audit", "verify", "--json").decoded()
        struct Found: Decodable, Equatable {
            var entries: Int
            var hash: String
            var checkpoints: Int
            var unsigned: Int
        }
        let found = try JSONDecoder().decode(
            Found.self,
            from: Python.script("verify_audit.py", home.file("audit"), home.file("identity/signer.pem")).output)
        #expect(
            found
                == Found(
                    entries: verdict.entries, hash: verdict.hash, checkpoints: verdict.checkpoints,
                    unsigned: verdict.unsigned))
        #expect(verdict.checkpoints > 5 && verdict.unsigned == 0)
    }

    @Test func aCopyElsewhereIsVerifiedWithoutTheHome() throws {
        let home = try ScratchHome()
        try home.keyroll("rotate", "--force")
        let head = String(decoding: try home.keyroll("audit", "head").output, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
        let copy = home.folder + "/copy"
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
        let whole = try Data(contentsOf: URL(fileURLWithPath: segment(home)))
        let file = URL(fileURLWithPath: copy + "/00000000000000000001.jsonl")
        let elsewhere = Keyroll(home: home.folder + "/nowhere")
        let signer = home.file("identity/signer.pem")
        func expect(_ bytes: Data, _ arguments: String..., exits code: Int32, _ text: String) throws {
            try bytes.write(to: file)
            let outcome = try elsewhere.run(["audit", "verify", "--signer", signer, copy] + arguments)
            let said = String(decoding: outcome.output, as: UTF8.self) + outcome.errors
            #expect(outcome.code == code && said.contains(text), "\(outcome.code): \(said)")
        }
        try expect(whole, exits: 0, "follow one another")
        try expect(whole, "--anchor", head, exits: 0, "follow one another")
        try expect(whole.dropLast(10), exits: 3, "cut off by a crash")
        try expect(whole.dropLast(10), "--anchor", head, exits: 65, "first bad entry")
        let lines = whole.split(separator: 10)
        try expect(Data(lines.dropLast().joined(separator: [10])) + [10], exits: 3, "not signed yet")
        var altered = whole
        altered[lines[0].count + lines[1].count - 20] ^= 1
        try expect(altered, exits: 65, "first bad entry 2")
        try expect(Data(), exits: 66, "no audit log")
        try expect(whole, "--anchor", "12", exits: 64, "64 hexadecimal digits")
        #expect(try elsewhere.run(["audit", "verify", copy]).code == 64)
        #expect(try elsewhere.run(["audit", "head"]).code == 66)
    }

    @Test func anAlteredLogTakesNoKeyEventAndLosesNoSecret() throws {
        let home = try ScratchHome()
        let secrets = Secrets(5)
        try home.fill(secrets)
        let whole = try Data(contentsOf: URL(fileURLWithPath: segment(home)))
        let cut = try #require(whole.dropLast(1).lastIndex(of: 10))
        try whole[...cut].write(to: URL(fileURLWithPath: segment(home)))
        try home.keyroll("audit", "verify", exits: 65)
        try home.keyroll("rotate", "--force", exits: 65)
        // What reads and writes secrets goes on; a job says that its entry was not taken.
        try home.expectContents(secrets)
        #expect(try home.keyroll("verify").errors.contains("did not take this job"))
        // Once somebody looked into it, another log begins.
        try FileManager.default.moveItem(atPath: home.file("audit"), toPath: home.folder + "/audit.aside")
        try home.keyroll("rotate", "--force")
        try home.keyroll("audit", "verify")
        try home.expectContents(secrets)
    }

    @Test func theLogGoesOnAfterAChangeOfTheRootKey() throws {
        let home = try ScratchHome()
        try home.keyroll("root", "change")
        try home.keyroll("audit", "verify")
        try home.keyroll("rotate", "--force")
        try home.keyroll("root", "change")
        try home.keyroll("rotate", "--force")
        try home.keyroll("audit", "checkpoint")
        try home.keyroll("audit", "verify")
        #expect(try events(entries(home, "--kind", "key")).filter { $0 == "root key changed" }.count == 2)
    }
}
