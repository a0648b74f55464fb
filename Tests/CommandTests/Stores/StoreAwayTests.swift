import Foundation
import Testing

/// A store that is away: everything else goes on, and nothing that could be needed there is taken away.
@Suite struct StoreAwayTests {
    static func home() throws -> ScratchHome {
        let home = try ScratchHome.withStores("second")
        try home.put("a", "1")
        try home.put("b", "2", "--store", "second")
        return home
    }

    @Test func secrets() throws {
        let home = try Self.home()
        try home.takeAway("second")
        #expect(try home.keyroll("get", "a").text == "1")
        try home.put("a", "3", "--replace")
        for arguments in [
            ["get", "b"], ["rm", "b"], ["mv", "b", "c"], ["explain", "b"], ["get", "b", "--store", "second"],
        ] {
            let outcome = try home.keyroll.run(arguments)
            #expect(outcome.code == 69, "\(arguments)")
            outcome.expectRefusal("store 'second' cannot be reached", home.file("second.sqlite"))
        }
        try home.put("new", "1", exits: 69)
        try home.put("b", "1", "--store", "second", exits: 69)
        try home.put("new", "1", "--store", "secrets")
        let listed = try home.keyroll("list", exits: 65)
        #expect(listed.lines == ["a", "new"] && listed.errors.contains("'second' cannot be reached"))
        let exported = try home.keyroll("export", "--format", "jsonl", exits: 65)
        #expect(exported.lines.count == 2 && exported.errors.contains("'second' cannot be reached"))
        #expect(try home.stores()["second"]?["reachable"] as? Bool == false)
        try home.keyroll("store", "list", exits: 3)
        try home.putBack("second")
        #expect(try home.keyroll("get", "b").text == "2")
    }

    /// The first store takes what nobody named a store for; another one never takes its place.
    @Test func theFirstOne() throws {
        let home = try Self.home()
        try home.takeAway("secrets")
        let file = try home.write("in.jsonl", "{\"name\":\"x\",\"secret\":\"1\"}\n")
        try home.keyroll("import", file, exits: 69).expectRefusal("store 'secrets' cannot be reached")
        try home.keyroll("import", file, "--store", "second")
        #expect(try home.keyroll("get", "b").text == "2")
        try home.takeAway("second")
        try home.keyroll("get", "b", exits: 69).expectRefusal(home.file("secrets.sqlite"))
    }

    @Test func jobs() throws {
        let home = try Self.home()
        try home.takeAway("second")
        let rotated = try home.keyroll("rotate", "--force", "--json", exits: 65)
        #expect(try rotated.object()["unreachable"] as? [String] == ["second"])
        #expect(try rotated.decoded(Report.self).moved == 1)
        rotated.expectErrors(["store 'second' cannot be reached"])
        let run = try #require(home.evidence().last { $0["kind"] as? String == "run" })
        #expect((run["facts"] as? [String: Any])?["unreachable"] as? [String] == ["second"])
        // Nothing needs generation 1 by the counters at hand; it stays all the same.
        #expect(try home.keyroll("rotate", "--json", exits: 65).object()["retired"] as? [Int] == [])
        try home.keyroll("generation", "retire", "1", exits: 77).expectRefusal("store 'second'", "cannot be reached")
        try home.keyroll("generation", "retire", "1", "--override", "a test", exits: 77)
        let verified = try home.keyroll("verify", "--json", exits: 65)
        #expect(try verified.decoded(Report.self).current == 1)
        verified.expectErrors(["store 'second' cannot be reached"])
        let status = try home.keyroll("status", "--json", exits: 3)
        #expect(try status.object()["unreachable"] as? [String] == ["second"])
        #expect(try home.keyroll("status", exits: 3).text.contains("attention: store 'second' cannot be reached"))
        #expect(try home.keyroll("doctor", exits: 3).text.contains("found: store 'second' cannot be reached"))
        try home.keyroll("quarantine", "list", exits: 3)
        try home.keyroll("archive", "rehearse").expectErrors(["store 'second' cannot be reached"])

        try home.putBack("second")
        #expect(try home.keyroll("rotate", "--json").decoded(Report.self).moved == 1)
        // Now it goes, in this run or the next one.
        try home.keyroll("rotate")
        #expect(try home.census().generations.map(\.archived) == [true, false])
        #expect(try home.keyroll("get", "b").text == "2")
    }

    /// Refusals are recorded; everything else stays as it was.
    private static func isNoRecord(_ file: (key: String, value: Data)) -> Bool {
        !file.key.contains("evidence") && !file.key.hasPrefix("keys") && !file.key.hasPrefix("audit")
    }

    @Test func whatIsRefused() throws {
        let home = try Self.home()
        try home.keyroll("rotate", "--force")
        try home.keyroll("rotate")
        #expect(try home.census().generations.map(\.archived) == [true, false])
        try home.keyroll("generation", "destroy", "1")
        try home.takeAway("second")
        let before = try home.files().filter(Self.isNoRecord)
        try home.keyroll("generation", "destroy", "1", "--confirm", "1", exits: 69).expectRefusal("'second'")
        try home.keyroll("backup", home.folder + "/copy", exits: 69).expectRefusal("a backup would lack its secrets")
        try home.keyroll("upgrade", exits: 69)
        try home.keyroll("store", "remove", "second", exits: 69)
        try home.remove("root.key")
        try home.keyroll("recover", "--key", home.recoveryKey, exits: 69).expectRefusal(home.file("second.sqlite"))
        #expect(!FileManager.default.fileExists(atPath: home.folder + "/copy"))
        #expect(
            try home.files().filter(Self.isNoRecord)
                == before.filter { $0.key != "root.key" })
        try home.putBack("second")
        try home.keyroll("recover", "--key", home.recoveryKey)
        #expect(try home.keyroll("get", "b").text == "2")
    }

    @Test func aReencryptionIsNotDone() throws {
        let home = try Self.home()
        try home.takeAway("second")
        try home.keyroll("reencrypt", "--compromised", "1", exits: 65).expectErrors(["store 'second' cannot be reached"]
        )
        #expect(try home.keyroll("status", exits: 3).text.contains("generation 1 is compromised"))
        try home.putBack("second")
        try home.keyroll("reencrypt", "--compromised", "1")
        #expect(try !home.keyroll.run(["status"]).text.contains("generation 1 is compromised"))
    }

    /// Wrong is not away.
    @Test func refusalsStay78() throws {
        let home = try Self.home()
        try home.setMode("second.sqlite", 0o644)
        try home.keyroll("get", "a", exits: 78).expectRefusal(home.file("second.sqlite"), "chmod 600")
    }
}
