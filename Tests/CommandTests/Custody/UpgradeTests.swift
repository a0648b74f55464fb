import Foundation
import Testing

/// A home of the first format: refused by every command but `keyroll upgrade`, which brings it up.
@Suite struct UpgradeTests {
    private let home: ScratchHome
    private let secrets = Secrets(30)

    /// Two generations on line, as the first keyroll kept them: it retired nothing.
    init() throws {
        home = try ScratchHome()
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
        try Python.script("format1.py", home.path)
    }

    @Test func ordinaryCommandsRefuse() throws {
        let before = try home.files()
        for command in [
            ["get", "secret-1"], ["put", "new"], ["list"], ["rotate", "--force"], ["verify"], ["status"],
            ["export", "--format", "jsonl"],
            ["archive", "create"], ["archive", "verify"], ["backup", home.folder + "/backup"], ["root", "change"],
            ["generation", "list"], ["reencrypt", "--compromised", "1"],
        ] {
            let outcome = try home.keyroll.run(command, input: Data("never".utf8))
            #expect(outcome.code == 78, "\(command): \(outcome)")
            outcome.expectRefusal("written by an older keyroll; run: keyroll upgrade")
        }
        #expect(try home.files() == before)
        #expect(!FileManager.default.fileExists(atPath: home.folder + "/backup"))
    }

    @Test func upgraded() throws {
        let ring = try Data(contentsOf: URL(fileURLWithPath: home.file("keys.sqlite")))
        let outcome = try home.keyroll("upgrade")
        #expect(outcome.text.contains("generation 1 is in a verified bundle now"), "\(outcome.text)")
        #expect(outcome.text.contains("generation 2 is in a verified bundle now"), "\(outcome.text)")
        try home.expectContents(secrets)
        try home.expectBundlesWhole()
        #expect(try home.keyroll("archive", "list").lines.count == 2)
        #expect(try home.keyroll("upgrade").text == "everything is of the present formats\n")
        // The key store as it was, put aside by VACUUM INTO: the same row, still of format 1.
        let aside = try #require(
            try FileManager.default.contentsOfDirectory(atPath: home.path).first { $0.contains(".format-1-") })
        let mode = try FileManager.default.attributesOfItem(atPath: home.file(aside))[.posixPermissions] as? Int
        #expect(mode == 0o600 && !ring.isEmpty)
        let older = try home.twin("older")
        for name in ["keys.sqlite", "keys-copy.sqlite"] {
            try FileManager.default.removeItem(atPath: older.home + "/" + name)
            try FileManager.default.copyItem(atPath: home.file(aside), toPath: older.home + "/" + name)
        }
        try older("verify", exits: 78).expectRefusal("older keyroll")

        try home.keyroll("rotate", "--force")
        try home.keyroll("archive", "recipient", "export", home.folder + "/archive.key")
        try home.keyroll("archive", "recipient", "prove", "archive-key", "--key", home.folder + "/archive.key")
        try home.setPolicy(["soakTime": "0", "keepDeactivated": "0"])
        try home.keyroll("rotate")
        #expect(try home.census().generations.map(\.archived) == [true, true, false])
        try home.expectContents(secrets)
        try home.keyroll("doctor")
    }

    @Test func killedBeforeEveryStep() throws {
        let template = home.folder + "/template"
        let steps = try KillSwitch.steps(home.twin("counted"), ["upgrade"])
        try FileManager.default.moveItem(atPath: home.path, toPath: template)
        for step in KillSwitch.some(of: steps, for: ["upgrade"]) {
            try? FileManager.default.removeItem(atPath: home.path)
            try FileManager.default.copyItem(atPath: template, toPath: home.path)
            #expect(try KillSwitch.run(home.keyroll, ["upgrade"], before: step))
            try home.keyroll("upgrade")
            #expect(try home.keyroll.secrets() == secrets, "killed before step \(step) of \(steps)")
            try home.expectBundlesWhole()
            #expect(try home.keyroll("archive", "list").lines.count == 2, "killed before step \(step) of \(steps)")
            #expect(home.has("identity/signer.pem"), "killed before step \(step) of \(steps)")
        }
    }

    /// A forged document of the older format is as forged as any other.
    @Test func aForgedOlderRing() throws {
        for name in ["keys.sqlite", "keys-copy.sqlite"] {
            try Python.damage(home, "sql", name, "UPDATE ring SET mac = randomblob(32)")
        }
        let before = try home.files()
        try home.keyroll("upgrade", exits: 78).expectRefusal("altered")
        #expect(try home.files() == before)
    }
}
