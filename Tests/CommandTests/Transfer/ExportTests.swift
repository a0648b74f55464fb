import Foundation
import Testing

/// `export`, and the way from one home into another.
@Suite struct ExportTests {
    @Test func fromOneHomeIntoAnother() throws {
        let (first, second) = (try ScratchHome(), try ScratchHome())
        var random = SystemRandomNumberGenerator()
        var secrets = Secrets(400)
        secrets.plaintexts["empty"] = Data()
        secrets.plaintexts["text"] = Data("Grüße,\n\t\"quoted\" \\ \u{7F}\u{2028}".utf8)
        secrets.plaintexts["controls"] = Data((0..<32).map { UInt8($0) })
        secrets.plaintexts["large"] = .random(3 << 20, using: &random)
        secrets.plaintexts["names\nwith \"everything\"\u{1}"] = Data([1])
        secrets.contexts = ["empty": "", "text": "Kontext \"7\"", "large": "row\n7"]
        try first.fill(secrets)
        try first.keyroll("rotate", "--force")
        let lines = try first.keyroll("export", "--format", "jsonl").output
        try second.keyroll("import", "-", "--format", "jsonl", input: lines)
        try second.expectContents(secrets)
        // The same in the other direction is no change at all.
        let back = try second.keyroll("export", "--format", "jsonl").output
        let report = try first.keyroll("import", "-", "--format", "jsonl", "--json", input: back).decoded(Report.self)
        #expect(report.imported == .init(unchanged: secrets.plaintexts.count))
    }

    @Test(arguments: ["jsonl", "cose"]) func namedOnesInTheOrderGiven(_ format: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(10))
        let lines = try home.keyroll("export", "secret-7", "secret-2", "--format", format).objects()
        #expect(lines.map { $0["name"] as? String } == ["secret-7", "secret-2"])
        let missing = try home.keyroll("export", "secret-1", "nobody", "--format", format, exits: 66)
        missing.expectErrors(["'nobody'"])
    }

    @Test func messagesNeedNoPlaintext() throws {
        let home = try ScratchHome()
        try home.keyroll("put", "name", "--context", "row 7", input: Data("TOPSECRET".utf8))
        try home.keyroll("put", "bare", input: Data("TOPSECRET".utf8))
        let export = try home.keyroll("export", "--format", "cose")
        let lines = try export.objects()
        let keys: Set = ["name", "generation", "birth", "externalAAD", "message"]
        #expect(lines.map { Set($0.keys) } == [keys.union(["context"]), keys])
        for line in lines {
            let message = try #require((line["message"] as? String).flatMap { Data(base64Encoded: $0) })
            #expect(message.prefix(3) == Data([0xD8, 0x60, 0x84]), "tag 96, array of 4")
            #expect(message.range(of: Data("TOPSECRET".utf8)) == nil)
        }
    }

    @Test func noPlaintextAtRest() throws {
        let home = try ScratchHome()
        let canary = Data("canary-\(UUID().uuidString)".utf8)
        try home.keyroll("put", "put", input: canary)
        try home.fill(Secrets(["imported": canary]))
        try home.keyroll("rotate", "--force")
        try home.keyroll("mv", "put", "moved")
        for (name, content) in try home.files() {
            #expect(content.range(of: canary) == nil, "\(name) holds a plaintext")
        }
    }

    @Test func oneDamagedSecretDoesNotHoldTheOthersBack() throws {
        let home = try ScratchHome()
        var secrets = Secrets(300)
        try home.fill(secrets)
        try Python.damage(home, "flip-content", "secret-42")
        let export = try home.keyroll("export", "--format", "jsonl", exits: 65)
        export.expectErrors(["'secret-42'"])
        secrets.plaintexts["secret-42"] = nil
        #expect(try Secrets(jsonLines: export) == secrets)
        let named = try home.keyroll("export", "secret-42", "--format", "jsonl", exits: 65)
        named.expectErrors(["'secret-42'"])
        #expect(named.output.isEmpty)
    }
}
