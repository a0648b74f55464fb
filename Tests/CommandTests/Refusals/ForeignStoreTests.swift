import Foundation
import Testing

/// Files of a home that do not belong together: recognised by name before anything is written.
@Suite struct ForeignStoreTests {
    static let keys = ["keys.sqlite", "keys-copy.sqlite"]
    static let commands = [
        ["get", "secret-0"], ["put", "new"], ["rotate"], ["rotate", "--force"], ["verify"], ["status"],
        ["quarantine", "retry"], ["generation", "create"],
    ]

    private func put(_ names: [String], of source: String, into home: ScratchHome) throws {
        for name in names {
            try FileManager.default.removeItem(atPath: home.file(name))
            try FileManager.default.copyItem(atPath: source + "/" + name, toPath: home.file(name))
        }
    }

    private func expectRefusals(
        _ home: ScratchHome, code: Int32 = 78, _ phrases: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try home.files()
        for command in Self.commands {
            let outcome = try home.keyroll.run(command)
            #expect(outcome.code == code, "\(command): \(outcome.errors)", sourceLocation: sourceLocation)
            outcome.expectRefusal(phrases, sourceLocation: sourceLocation)
        }
        #expect(try home.files() == before, sourceLocation: sourceLocation)
    }

    @Test func storeOfAnotherGroupIs78() throws {
        let (home, other) = (try ScratchHome(), try ScratchHome())
        try home.fill(Secrets(3))
        try other.fill(Secrets(3))
        try home.copy(["secrets.sqlite"], to: home.folder + "/own")
        try put(["secrets.sqlite"], of: other.path, into: home)
        try expectRefusals(home, "the store of another group")
        try put(["secrets.sqlite"], of: home.folder + "/own", into: home)
        try home.expectAllOpen(3)
    }

    @Test func olderKeysWithNewerSecretsIs78() throws {
        let home = try ScratchHome()
        let secrets = Secrets(100)
        try home.fill(secrets)
        try home.copy(Self.keys, to: home.folder + "/old")
        try home.keyroll("rotate", "--force")
        try home.copy(Self.keys, to: home.folder + "/new")
        try put(Self.keys, of: home.folder + "/old", into: home)
        try expectRefusals(home, "generation 2, which this ring (up to 1) does not have")
        let doctor = try home.keyroll("doctor", exits: 3)
        #expect(doctor.text.contains("generation 2"))
        try put(Self.keys, of: home.folder + "/new", into: home)
        try home.expectContents(secrets)
    }

    @Test func twoRestoresOfOneBackupDoNotMix() throws {
        let home = try ScratchHome()
        let secrets = Secrets(20)
        try home.fill(secrets)
        let twin = Keyroll(home: home.folder + "/twin")
        try FileManager.default.copyItem(atPath: home.path, toPath: twin.home)
        try home.keyroll("rotate", "--force")
        try twin("rotate", "--force")
        try home.copy(Self.keys, to: home.folder + "/own")
        try put(Self.keys, of: twin.home, into: home)
        try expectRefusals(home, "another generation 2")
        try put(Self.keys, of: home.folder + "/own", into: home)
        try home.expectContents(secrets)
    }

    @Test func olderSecretsWithNewerKeysWork() throws {
        let home = try ScratchHome()
        let secrets = Secrets(100)
        try home.fill(secrets)
        try home.copy(["secrets.sqlite"], to: home.folder + "/old")
        for _ in 0..<3 { try home.keyroll("rotate", "--force") }
        try home.fill(Secrets(10, "later"))
        try put(["secrets.sqlite"], of: home.folder + "/old", into: home)
        try home.expectContents(secrets)
        try home.keyroll("put", "now", input: Data("plaintext".utf8))
        let report: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(report.moved == 100 && report.current == 1 && report.addsUp)
        #expect(try home.census().counts == [4: 101])
    }

    @Test func numbersAreNeverGivenOutTwice() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(10))
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "activate", "3")
        let report: Report = try home.keyroll("rotate", "--force", "--json").decoded()
        #expect(report.generation == 4)
    }

    @Test func newerFormatIs78() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(3))
        try home.copy(["secrets.sqlite"] + Self.keys, to: home.folder + "/now")
        try Python.damage(home, "sql", "secrets.sqlite", "UPDATE store SET format = 2")
        try expectRefusals(home, "newer keyroll (format 2)")
        try put(["secrets.sqlite"], of: home.folder + "/now", into: home)
        for name in Self.keys { try Python.damage(home, "sql", name, "UPDATE ring SET format = 2") }
        try expectRefusals(home, "newer keyroll (format 2)")
    }

    @Test func aNewerFormatIsNotTakenForDamage() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(3))
        // As a newer keyroll leaves it that was cut off between the two copies.
        try Python.damage(home, "sql", "keys.sqlite", "UPDATE ring SET format = 2")
        let before = try home.files()
        try home.keyroll("rotate", "--force", exits: 78).expectRefusal("newer keyroll (format 2)")
        #expect(try home.files() == before, "the newer keyroll's copy is overwritten")
    }

    @Test(arguments: [["secrets.sqlite"], keys]) func missingFilesAre69(_ names: [String]) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(3))
        for name in names { try FileManager.default.removeItem(atPath: home.file(name)) }
        try expectRefusals(home, code: 69, home.file(names[0]))
    }
}
