import Foundation
import Testing

/// An independent COSE library opens what was exported, and an independent reader opens the whole home.
@Suite struct COSETests {
    private struct Opened: Decodable {
        var name: String
        var generation: Int
        var birth: Int
        var plaintext: Data
        var content: String
        var wrappedKey: String
        var refusesOtherAAD: Bool
        var refusesOtherKey: Bool
        var refusesAlteredContent: Bool
    }

    private static let secrets: Secrets = {
        var random = SeededGenerator("cose")
        var secrets = Secrets(30)
        secrets.plaintexts["empty"] = Data()
        secrets.plaintexts["large"] = .random(100_000, using: &random)
        secrets.plaintexts["names\nwith ünïcode/🔑"] = Data("plaintext".utf8)
        secrets.contexts = ["empty": "row 7", "large": "", "secret-3": "Kontext ü"]
        return secrets
    }()

    private func open(_ home: ScratchHome) throws -> [String: Opened] {
        let export = try home.keyroll("export", "--format", "cose")
        let answer = try Python.script("open_cose.py", home.path, input: export.output)
        let opened = try answer.output.split(separator: 10).map { try JSONDecoder().decode(Opened.self, from: $0) }
        return Dictionary(uniqueKeysWithValues: opened.map { ($0.name, $0) })
    }

    @Test func cwtOpensWhatWasExported() throws {
        let home = try ScratchHome()
        try home.fill(Self.secrets)
        try home.keyroll("import", home.write("in.csv", "url,username,password\nhttps://a.example,alice,one\n"))
        var expected = Self.secrets.plaintexts
        expected["https://a.example#alice"] = Data("one".utf8)
        var before: [String: Opened] = [:]
        for generation in 1...3 {
            let opened = try open(home)
            #expect(opened.mapValues(\.plaintext) == expected)
            for (name, one) in opened {
                #expect(one.generation == generation && one.birth == 1)
                #expect(one.refusesOtherAAD && one.refusesOtherKey && one.refusesAlteredContent, "\(name)")
                // A rewrap changes the recipient and nothing else.
                if let earlier = before[name] {
                    #expect(one.content == earlier.content && one.wrappedKey != earlier.wrappedKey, "\(name)")
                }
            }
            before = opened
            try home.keyroll("rotate", "--force")
        }
    }

    @Test func contentsTypesAreTold() throws {
        let home = try ScratchHome()
        try home.keyroll("put", "bytes", input: Data([1]))
        try home.keyroll("import", "-", "--format", "jsonl", input: Data("{\"name\":\"text\",\"secret\":\"a\"}".utf8))
        let row = Data("url,password\nrow,x\n".utf8)
        try home.keyroll("import", "-", "--format", "csv", "--whole-row", input: row)
        let lines = try home.keyroll("export", "--format", "cose").objects()
        let types = try lines.map { line -> Data in
            // Tag, array, byte string, {1: 3, 3: type}
            try #require((line["message"] as? String).flatMap { Data(base64Encoded: $0) }).dropFirst(4).prefix(6)
        }
        #expect(types[0] == Data([0xA2, 0x01, 0x03, 0x03, 0x18, 42]), "application/octet-stream")
        #expect(types[1].prefix(5) == Data([0xA2, 0x01, 0x03, 0x03, 0x00]), "text/plain")
        #expect(types[2] == Data([0xA2, 0x01, 0x03, 0x03, 0x18, 50]), "application/json")
    }

    @Test func independentReaderOpensTheHome() throws {
        let home = try ScratchHome()
        try home.fill(Self.secrets)
        let file = try home.write("expected.jsonl", Self.secrets.jsonLines())
        let expected = home.folder + "/expected.json"
        try Python.script("independent_reader.py", "digests", file, expected)
        for generation in 1...3 {
            let census = try Python.script("independent_reader.py", "check", home.path, expected).object()
            #expect(census as? [String: Int] == ["\(generation)": 33])
            try home.keyroll("rotate", "--force")
        }
    }

    @Test(arguments: ["flip-key", "flip-content"]) func independentReaderSeesDamage(_ damage: String) throws {
        let home = try ScratchHome()
        try home.fill(Self.secrets)
        let file = try home.write("expected.jsonl", Self.secrets.jsonLines())
        let expected = home.folder + "/expected.json"
        try Python.script("independent_reader.py", "digests", file, expected)
        try Python.damage(home, damage, "secret-3")
        let outcome = try Python.attempt("independent_reader.py", ["check", home.path, expected])
        #expect(outcome.code != 0)
    }
}
