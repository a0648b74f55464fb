import Foundation
import Testing

/// A secret's life: put, get, list, rm, mv.
@Suite struct PutGetTests {
    static let plaintexts: [Data] = {
        var random = SeededGenerator("plaintexts")
        return [
            Data(), Data([0]), Data("a line\n".utf8), Data((0...255).map { UInt8($0) }),
            .random(65_536, using: &random), .random(1 << 20, using: &random),
        ]
    }()

    @Test(arguments: plaintexts) func plaintextComesBackByteForByte(_ plaintext: Data) throws {
        let home = try ScratchHome()
        try home.keyroll("put", "secret", input: plaintext)
        #expect(try home.keyroll("get", "secret").output == plaintext)
        try home.keyroll("rotate", "--force")
        #expect(try home.keyroll("get", "secret").output == plaintext)
        try home.expectAllOpen(1)
    }

    static let names = [
        "x", "with space", "a/b/../../etc/passwd", "/absolute", "two\nlines", "tab\tand \"quotes\" and \\", "日本語🔑",
        "\u{1B}[2J", "\u{202E}turned", "-dash", "--help", "%s%n", "'; DROP TABLE secret; --",
        String(repeating: "n", count: 1024),
    ]

    @Test(arguments: names) func nameIsKeptAsItIs(_ name: String) throws {
        let home = try ScratchHome()
        let keyroll = home.keyroll
        try keyroll("put", "--", name, input: Data("plaintext".utf8))
        #expect(try keyroll("get", "--", name).text == "plaintext")
        #expect(try keyroll("list", "--json").objects().map { $0["name"] as? String } == [name])
        let listed = try keyroll("list").text
        #expect(listed.hasSuffix("\n") && listed.filter { $0 == "\n" }.count == 1, "a line a name")
        #expect(!listed.contains("\u{1B}") && !listed.contains("\u{202E}"), "nothing that steers a terminal")
        try keyroll("rotate", "--force")
        try home.expectContents(Secrets([name: Data("plaintext".utf8)]))
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.folder) == ["home"])
    }

    @Test func namesThatLookAlikeAreTwo() throws {
        let home = try ScratchHome()
        // Composed and decomposed: equal for Swift's strings, not for their bytes.
        let names = ["caf\u{E9}", "cafe\u{301}"]
        for (index, name) in names.enumerated() { try home.keyroll("put", name, input: Data([UInt8(index)])) }
        for (index, name) in names.enumerated() {
            #expect(try home.keyroll("get", name).output == Data([UInt8(index)]))
        }
        try home.keyroll("rm", names[0])
        try home.keyroll("get", names[0], exits: 66)
        #expect(try home.keyroll("get", names[1]).output == Data([1]))
    }

    @Test func putOverExistingNeedsReplace() throws {
        let home = try ScratchHome()
        try home.keyroll("put", "name", input: Data("old".utf8))
        let refused = try home.keyroll("put", "name", input: Data("new".utf8), exits: 73)
        refused.expectRefusal("'name'", "--replace")
        #expect(try home.keyroll("get", "name").text == "old")
        try home.keyroll("put", "name", "--replace", input: Data("new".utf8))
        #expect(try home.keyroll("get", "name").text == "new")
        try home.keyroll("put", "other", "--replace", input: Data("first".utf8))
        try home.expectContents(Secrets(["name": Data("new".utf8), "other": Data("first".utf8)]))
    }

    @Test func replacingTakesANewDataKey() throws {
        let home = try ScratchHome()
        var messages: Set<String> = []
        for _ in 0..<3 {
            try home.keyroll("put", "name", "--replace", input: Data("same".utf8))
            let line = try home.keyroll("export", "name", "--format", "cose").objects()[0]
            messages.insert(try #require(line["message"] as? String))
        }
        #expect(messages.count == 3)
    }

    @Test(arguments: ["get", "rm", "explain"]) func noSuchSecretIs66(_ command: String) throws {
        let home = try ScratchHome()
        try home.keyroll(command, "nobody", exits: 66).expectRefusal("'nobody'")
    }

    @Test func removedIsGone() throws {
        let home = try ScratchHome()
        let secrets = Secrets(100)
        try home.fill(secrets)
        var left = secrets
        for index in stride(from: 0, to: 100, by: 7) {
            try home.keyroll("rm", "secret-\(index)")
            left.plaintexts["secret-\(index)"] = nil
        }
        try home.keyroll("get", "secret-0", exits: 66)
        try home.expectContents(left)
        // Their slots are used again, and nothing comes back with them.
        for index in 0..<15 {
            let name = "again-\(index)"
            left.plaintexts[name] = Data(name.utf8)
            try home.keyroll("put", name, input: Data(name.utf8))
        }
        try home.keyroll("rotate", "--force")
        try home.expectContents(left)
    }

    @Test func moveKeepsContentAndContext() throws {
        let home = try ScratchHome()
        try home.keyroll("put", "old", "--context", "row 7", input: Data("plaintext".utf8))
        try home.keyroll("put", "taken", input: Data("other".utf8))
        try home.keyroll("mv", "old", "taken", exits: 73).expectRefusal("'taken'")
        try home.keyroll("mv", "nobody", "new", exits: 66).expectRefusal("'nobody'")
        try home.keyroll("rotate", "--force")
        try home.keyroll("mv", "old", "new")
        try home.keyroll("get", "old", exits: 66)
        #expect(try home.keyroll("get", "new", "--context", "row 7").text == "plaintext")
        var left = Secrets(["new": Data("plaintext".utf8), "taken": Data("other".utf8)])
        left.contexts["new"] = "row 7"
        try home.expectContents(left)
    }

    @Test func contextHasToBeTheSame() throws {
        let home = try ScratchHome()
        try home.keyroll("put", "name", "--context", "table accounts", input: Data("plaintext".utf8))
        try home.keyroll("rotate", "--force")
        #expect(try home.keyroll("get", "name", "--context", "table accounts").text == "plaintext")
        #expect(try home.keyroll("get", "name").text == "plaintext")
        for wrong in ["table users", "", "table accounts "] {
            try home.keyroll("get", "name", "--context", wrong, exits: 65).expectRefusal("'name'")
        }
        try home.keyroll("put", "bare", input: Data("plaintext".utf8))
        try home.keyroll("get", "bare", "--context", "", exits: 65).expectRefusal("'bare'")
    }
}
