import Foundation
import Testing

/// `list`, `init`, and wrong usage.
@Suite struct ListTests {
    @Test func prefixSelectsAndOrderIsByName() throws {
        let home = try ScratchHome()
        let names = ["mail/zoe", "mail/alice", "mail", "mailing", "Mail/x", "m", "mail/ÿ", "n"]
        for name in names { try home.keyroll("put", name, input: Data(name.utf8)) }
        let byBytes = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(try home.keyroll("list").lines == byBytes)
        #expect(try home.keyroll("list", "--prefix", "mail/").lines == byBytes.filter { $0.hasPrefix("mail/") })
        #expect(try home.keyroll("list", "--prefix", "mail/ÿ").lines == ["mail/ÿ"])
        #expect(try home.keyroll("list", "--prefix", "o").lines == [])
    }

    @Test func moreThanOnePageOfNames() throws {
        let home = try ScratchHome()
        let secrets = Secrets(2500, bytes: 8)
        try home.fill(secrets)
        #expect(try home.keyroll("list").lines == secrets.plaintexts.keys.sorted())
        #expect(try home.keyroll("list", "--prefix", "secret-1").lines.count == 1111)
    }

    @Test func jsonSaysWhereEachStands() throws {
        let home = try ScratchHome()
        try home.keyroll("put", "old", input: Data(count: 10))
        try home.keyroll("rotate", "--force")
        try home.keyroll("put", "young", input: Data(count: 11))
        let lines = try home.keyroll("list", "--json").objects()
        #expect(
            lines.map { Set($0.keys) }
                == Array(repeating: ["name", "store", "generation", "birth", "bodyBytes"], count: 2))
        #expect(lines.map { $0["name"] as? String } == ["old", "young"])
        #expect(lines.map { $0["generation"] as? Int } == [2, 2])
        #expect(lines.map { $0["birth"] as? Int } == [1, 2])
        let sizes = lines.compactMap { $0["bodyBytes"] as? Int }
        #expect(sizes.count == 2 && sizes[1] == sizes[0] + 1)
    }

    @Test func secondInitChangesNothing() throws {
        let home = try ScratchHome()
        try home.keyroll("put", "name", input: Data("plaintext".utf8))
        let before = try home.files()
        try home.keyroll("init", exits: 73).expectRefusal(home.path)
        #expect(try home.files() == before)
        #expect(try home.keyroll("get", "name").text == "plaintext")
    }

    @Test func initLeavesAFullFolderAlone() throws {
        let home = try ScratchHome(isMade: false)
        try FileManager.default.createDirectory(atPath: home.path, withIntermediateDirectories: false)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: home.file("notes.txt")))
        try home.keyroll("init", exits: 73).expectRefusal(home.path)
        let found = try FileManager.default.subpathsOfDirectory(atPath: home.folder)
        #expect(found.sorted() == ["home", "home/notes.txt"])
    }

    @Test func homeOptionGoesBeforeTheVariable() throws {
        let (first, second) = (try ScratchHome(), try ScratchHome())
        try first.keyroll("put", "name", "--home", second.path, input: Data("plaintext".utf8))
        try first.keyroll("get", "name", exits: 66)
        #expect(try second.keyroll("get", "name").text == "plaintext")
    }

    static let wrong = [
        ["put"], ["frobnicate"], ["rotate", "--workers", "0"], ["rotate", "--max-rate", "0"], ["get", "a", "b"],
        ["rotate", "--fast"], ["export"], ["export", "--format", "xml"], ["import"],
        ["import", "x", "--format", "xml"],
        ["put", ""], ["put", String(repeating: "n", count: 1025)], ["quarantine", "accept", "name"],
    ]

    @Test(arguments: wrong) func wrongUsageIs64(_ arguments: [String]) throws {
        let home = try ScratchHome()
        let before = try home.files()
        let outcome = try home.keyroll.run(arguments)
        #expect(outcome.code == 64 && outcome.output.isEmpty && !outcome.errors.isEmpty, "\(outcome)")
        #expect(try home.files() == before)
    }
}
