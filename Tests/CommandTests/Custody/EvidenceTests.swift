import Foundation
import Glibc
import Testing

/// The evidence chain, and its signed report, checked without keyroll.
@Suite struct EvidenceTests {
    private let home: ScratchHome

    /// One scheduled job that did everything.
    init() throws {
        home = try ScratchHome.quick()
        try home.fill(Secrets(20))
        try home.keyroll("rotate", "--force")
    }

    private var chain: String { home.file("evidence.jsonl") }

    private func lines() throws -> [Data] {
        try Data(contentsOf: URL(fileURLWithPath: chain)).split(separator: 10).map { Data($0) }
    }

    private func write(_ lines: [Data], torn: String = "") throws {
        let whole = lines.reduce(Data()) { $0 + $1 + [10] } + Data(torn.utf8)
        try whole.write(to: URL(fileURLWithPath: chain))
        try home.setMode("evidence.jsonl", 0o600)
    }

    /// The jobs of the chain, the newest last.
    private func jobs() throws -> [String] {
        try home.keyroll("report").lines.compactMap { $0.split(separator: "\t").first.map(String.init) }
    }

    private func openssl(_ arguments: String..., input: Data = Data()) throws -> Outcome {
        try Child(
            "/usr/bin/env", ["openssl"] + arguments, environment: ["PATH": "/usr/bin:/bin"], input: input
        ).wait()
    }

    @Test func opensslVerifiesAReport() throws {
        let job = try #require(try jobs().last { $0.hasPrefix("rotate") })
        let message = try home.keyroll("report", "--job", job, "--cms").output
        let verified = try openssl(
            "cms", "-verify", "-inform", "PEM", "-CAfile", home.file("identity/signer.pem"), input: message)
        #expect(verified.code == 0, "\(verified.errors)")
        let report = try #require(
            try JSONSerialization.jsonObject(with: verified.output) as? [String: Any], "\(verified.text)")
        #expect(report["job"] as? String == job && report["group"] as? String == "default")
        let records = try #require(report["records"] as? [[String: Any]])
        let kinds = records.compactMap { $0["kind"] as? String }
        #expect(kinds == ["plan", "archive", "run", "census", "archive", "retirement", "logged"], "\(kinds)")
        func facts(_ kind: String) -> [String: Any]? {
            records.last { $0["kind"] as? String == kind }?["facts"] as? [String: Any]
        }
        #expect(facts("run")?["scanned"] as? Int == 20 && facts("run")?["moved"] as? Int == 20)
        #expect(facts("census")?["liveAfterBarrier"] as? Int == 0)
        #expect(facts("retirement")?["decision"] as? String == "off line")
        #expect(facts("retirement")?["provenRecipients"] as? [String] == ["recovery-key"])
        // The digest in the evidence is the bundle's own.
        let digest = try openssl("dgst", "-sha256", "-r", home.bundle(1)).text.prefix(64)
        #expect(facts("archive")?["sha256"] as? String == String(digest))
        // What the chain's file holds is what was signed.
        let head = try openssl("dgst", "-sha256", "-r", input: try #require(try lines().last)).text.prefix(64)
        #expect(report["chainHead"] as? String == String(head))
        #expect(report["chainLength"] as? Int == (try lines().count))

        // With --json both are there.
        let object = try home.keyroll("report", "--job", job, "--json").object()
        #expect((object["report"] as? [String: Any])?["job"] as? String == job)
        let inside = Data(try #require(object["cms"] as? String).utf8)
        #expect(
            try openssl("cms", "-verify", "-inform", "PEM", "-CAfile", home.file("identity/signer.pem"), input: inside)
                .code == 0)

        // An edited one, or one by somebody else, does not verify.
        let stranger = try ScratchHome()
        #expect(
            try openssl(
                "cms", "-verify", "-inform", "PEM", "-CAfile", stranger.file("identity/signer.pem"), input: message
            ).code != 0)
        let text = String(decoding: message, as: UTF8.self).split(separator: "\n").map(String.init)
        let der = try #require(Data(base64Encoded: text.dropFirst().dropLast().joined()))
        let at = try #require(der.range(of: Data("\"moved\" : 20".utf8)) ?? der.range(of: Data("\"moved\": 20".utf8)))
        var edited = der
        edited[at.upperBound - 1] = UInt8(ascii: "1")
        let forged = try openssl(
            "cms", "-verify", "-inform", "DER", "-CAfile", home.file("identity/signer.pem"), input: edited)
        #expect(forged.code != 0)
        try home.keyroll("report", "--job", "rotate-none", exits: 66).expectRefusal("no job 'rotate-none'")
    }

    @Test func eachRecordCarriesTheHashOfTheLineBefore() throws {
        try home.keyroll("archive", "rehearse")
        try home.keyroll("archive", "restore", "--generation", "1", "--for", "1d", "--reason", "why \"ü\" / \u{1F511}")
        try home.keyroll("backup", home.folder + "/backup")
        let lines = try lines()
        #expect(lines.count >= 9)
        var previous = String(repeating: "0", count: 64)
        for (index, line) in lines.enumerated() {
            let record = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
            #expect(record["number"] as? Int == index + 1)
            #expect(record["previous"] as? String == previous, "record \(index + 1)")
            // Compact, its names sorted: the same line comes out again.
            let again = try JSONSerialization.data(
                withJSONObject: record, options: [.sortedKeys, .withoutEscapingSlashes])
            #expect(again == line, "record \(index + 1)")
            previous = String(try openssl("dgst", "-sha256", "-r", input: line).text.prefix(64))
        }
    }

    @Test func everyChangeInTheMiddleIsFound() throws {
        let whole = try lines()
        let job = try #require(try jobs().last)
        func expectFound(_ what: String, from record: Int, _ changed: [Data]) throws {
            try write(changed)
            let outcome = try home.keyroll("report", "--job", job, exits: 65)
            outcome.expectRefusal("record \(record) does not follow the one before: the evidence was altered")
            try home.keyroll("report", exits: 65)
            let doctor = try home.keyroll.run(["doctor"])
            #expect(doctor.code == 3 && doctor.text.contains("evidence"), "\(what): \(doctor.text)")
        }
        for index in whole.indices.dropLast() {
            var edited = whole
            let text = String(decoding: whole[index], as: UTF8.self)
            edited[index] = Data(text.replacing("\"at\":\"2", with: "\"at\":\"3").utf8)
            #expect(edited[index] != whole[index])
            try expectFound("edited", from: index + 2, edited)

            var dropped = whole
            dropped.remove(at: index)
            try expectFound("dropped", from: index + 1, dropped)

            var swapped = whole
            swapped.swapAt(index, index + 1)
            try expectFound("swapped", from: index + 1, swapped)

            var doubled = whole
            doubled.insert(whole[index], at: index)
            try expectFound("doubled", from: index + 2, doubled)

            var cut = whole
            cut[index] = whole[index].dropLast(3)
            try expectFound("cut", from: index + 1, cut)
        }
        try write(whole)
        try home.keyroll("report", "--job", job)
        try home.keyroll("doctor")
    }

    /// A crash may leave a part of the last line: nothing before it is lost, and the next record says so.
    @Test(arguments: [1, 40, 5000]) func aTornLastLine(_ length: Int) throws {
        let whole = try lines()
        let job = try #require(try jobs().last)
        let torn = String(repeating: "{\"at\":\"2026", count: 500).prefix(length)
        try write(whole, torn: String(torn))
        try home.keyroll("report", "--job", job)
        try home.keyroll("rotate", "--force")
        let after = try lines()
        #expect(Array(after.prefix(whole.count)) == whole)
        let next = try #require(try JSONSerialization.jsonObject(with: after[whole.count]) as? [String: Any])
        #expect((next["facts"] as? [String: Any])?["tornBytesBefore"] as? Int == length)
        try home.keyroll("report", "--job", try #require(try jobs().last))
    }

    /// Of records that were added together a power cut may leave some sectors and others not, new lines among them.
    @Test(arguments: [UInt8(0), 10, 0x61]) func aTornAddition(_ filler: UInt8) throws {
        let whole = try lines()
        var torn = try #require(whole.last) + [10]
        for index in 3..<40 { torn[index] = filler }
        try write(whole, torn: String(decoding: torn, as: UTF8.self))
        try home.keyroll("rotate", "--force")
        let after = try lines()
        #expect(Array(after.prefix(whole.count)) == whole)
        let next = try #require(try JSONSerialization.jsonObject(with: after[whole.count]) as? [String: Any])
        #expect((next["facts"] as? [String: Any])?["tornBytesBefore"] as? Int == torn.count)
        try home.keyroll("report", "--job", try #require(try jobs().last))
        // It is kept: somebody may want to see whether it was a crash.
        let kept = try FileManager.default.contentsOfDirectory(atPath: home.path).filter { $0.contains(".torn-") }
        #expect(try kept.map { try home.bytes(home.file($0)) } == [torn])
    }

    /// Several additions that do not fit are no crash: nothing is cut off.
    @Test func anAlteredChainIsNotCut() throws {
        try home.keyroll("rotate", "--force")
        let whole = try lines()
        var edited = whole
        edited[2] = Data(String(decoding: whole[2], as: UTF8.self).replacing("\"at\":\"2", with: "\"at\":\"3").utf8)
        try write(edited)
        _ = try home.keyroll.run(["rotate", "--force"])
        #expect(try Array(lines().prefix(whole.count)) == edited)
        try home.keyroll("report", exits: 65)
    }

    /// Two commands that record at once do not tear the chain.
    @Test func twoWritersAtOnce() throws {
        try home.keyroll("backup", home.folder + "/first")
        let children = try (0..<6).map { try home.keyroll.start(["backup", "\(home.folder)/at-once-\($0)"]) }
        let codes = children.map { $0.wait().code }
        #expect(codes.allSatisfy { $0 == 0 || $0 == 75 }, "\(codes)")
        let kinds = try home.evidence().compactMap { $0["kind"] as? String }
        #expect(kinds.filter { $0 == "backup" }.count == 1 + codes.filter { $0 == 0 }.count)
        try home.keyroll("report")
    }
}
