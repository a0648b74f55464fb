import Foundation
import Testing

/// JSON Lines: what is taken, what is reported by number, and what an import does to what is there.
@Suite struct JSONLinesImportTests {
    @Test func linesBecomeSecrets() throws {
        let home = try ScratchHome()
        let text = """
            {"name":"plain","secret":"hunter2"}
            {"secretBase64":"AAEC/w==","name":"binary"}

            { "name" : "escapes \\u00fc\\n\\ud83d\\udd11" , "secret" : "\\"\\\\\\/\\u0000" }
            {"name":"with context","secret":"","context":"row 7","other":{"deep":[1,2,{}]}}
            {"name":"null context","secret":"x","context":null}
            """
        try home.keyroll("import", home.write("in.jsonl", text))
        var expected = Secrets([
            "plain": Data("hunter2".utf8), "binary": Data([0, 1, 2, 255]), "with context": Data(),
            "null context": Data("x".utf8), "escapes ü\n🔑": Data("\"\\/\0".utf8),
        ])
        expected.contexts["with context"] = "row 7"
        try home.expectContents(expected)
        #expect(try home.keyroll("get", "with context", "--context", "row 7").output.isEmpty)
    }

    @Test func badLinesAreReportedByNumberAndGoodOnesStay() throws {
        let home = try ScratchHome()
        let lines: [(text: String, isGood: Bool)] = [
            ("{\"name\":\"one\",\"secret\":\"1\"}", true),
            ("not json", false),
            ("{\"name\":\"no secret\"}", false),
            ("{\"name\":\"two\",\"secret\":\"2\"}", true),
            ("{\"secret\":\"TOPSECRET\"}", false),
            ("{\"name\":\"cut\",\"secret\":\"TOPSEC", false),
            ("{\"name\":\"base64\",\"secretBase64\":\"TOPSECRET!\"}", false),
            ("{\"name\":\"both\",\"secret\":\"TOPSECRET\",\"secretBase64\":\"\"}", false),
            ("[1]", false),
            ("{\"name\":\"\",\"secret\":\"TOPSECRET\"}", false),
            ("{\"name\":\"three\",\"secret\":\"3\"}", true),
        ]
        let file = try home.write("in.jsonl", lines.map(\.text).joined(separator: "\n"))
        let outcome = try home.keyroll("import", file, exits: 65)
        let reported = outcome.errorLines.map { $0.split(separator: " ")[1] }
        let expected = lines.indices.filter { !lines[$0].isGood }.map { "\(file):\($0 + 1):" }
        #expect(reported.map(String.init) == expected)
        #expect(!outcome.errors.contains("TOPSEC"), "a message quotes no content")
        try home.expectContents(Secrets(["one": Data("1".utf8), "two": Data("2".utf8), "three": Data("3".utf8)]))
    }

    @Test func changedContentIsKeptUnlessReplaced() throws {
        let home = try ScratchHome()
        let secrets = Secrets(20)
        let lines = try secrets.jsonLines()
        try home.keyroll("import", home.write("in.jsonl", lines))
        try home.keyroll("rotate", "--force")
        let again = try home.keyroll("import", home.folder + "/in.jsonl", "--json").decoded(Report.self)
        #expect(again.imported == .init(unchanged: 20))
        #expect(try home.census().counts == [2: 20])

        var changed = secrets
        changed.plaintexts["secret-3"] = Data("other".utf8)
        changed.contexts["secret-7"] = "new"
        let file = try home.write("changed.jsonl", changed.jsonLines())
        let names = changed.plaintexts.keys.sorted()
        let kept = try home.keyroll("import", file, "--json", exits: 65)
        #expect(try kept.decoded(Report.self).imported == .init(unchanged: 18, kept: 2))
        for name in ["secret-3", "secret-7"] {
            let number = try #require(names.firstIndex(of: name)) + 1
            kept.expectErrors(["\(file):\(number): '\(name)'", "--replace"])
        }
        try home.expectContents(secrets)

        let replaced = try home.keyroll("import", file, "--replace", "--json").decoded(Report.self)
        #expect(replaced.imported == .init(replaced: 2, unchanged: 18))
        try home.expectContents(changed)
    }

    @Test func oneNameTwiceInAFile() throws {
        let home = try ScratchHome()
        let text = ["1", "1", "2"].map { "{\"name\":\"n\",\"secret\":\"\($0)\"}\n" }.joined()
        let file = try home.write("in.jsonl", text)
        let kept = try home.keyroll("import", file, "--json", exits: 65)
        #expect(try kept.decoded(Report.self).imported == .init(added: 1, unchanged: 1, kept: 1))
        kept.expectErrors([":3: 'n'"])
        #expect(try home.keyroll("get", "n").text == "1")
        try home.keyroll("import", file, "--replace")
        #expect(try home.keyroll("get", "n").text == "2")
        try home.expectAllOpen(1)
        try home.keyroll("doctor")
    }

    @Test func standardInput() throws {
        let home = try ScratchHome()
        let secrets = Secrets(300)
        try home.keyroll("import", "-", "--format", "jsonl", input: secrets.jsonLines())
        try home.expectContents(secrets)
        try home.keyroll("import", "-", input: secrets.jsonLines(), exits: 64).expectRefusal("standard input", "jsonl")
    }

    @Test func largeSecretsAmongSmallOnes() throws {
        let home = try ScratchHome()
        var secrets = Secrets(50)
        var random = SystemRandomNumberGenerator()
        secrets.plaintexts["large"] = .random(9 << 20, using: &random)
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
        try home.expectContents(secrets)
    }
}
