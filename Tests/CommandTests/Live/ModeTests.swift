import Foundation
import Testing

/// Whatever the umask is, files are 0600 and folders 0700 from the first.
@Suite struct ModeTests {
    private func expectPrivate(_ home: ScratchHome, _ after: String) throws {
        var looked = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: home.path) + [""] {
            let attributes = try FileManager.default.attributesOfItem(atPath: home.file(name))
            let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
            #expect(attributes[.posixPermissions] as? Int == (isFolder ? 0o700 : 0o600), "\(name) after \(after)")
            looked += 1
        }
        #expect(looked > 8)
    }

    @Test(arguments: ["000", "022", "077", "027"]) func everyFileIsPrivate(_ mask: String) throws {
        let home = try ScratchHome(isMade: false)
        let file = try home.write("in.jsonl", Secrets(500).jsonLines())
        let commands = [
            ["init"], ["put", "name"], ["import", file], ["rotate", "--force"], ["rm", "name"], ["verify"],
            ["quarantine", "retry"], ["generation", "create"], ["export", "--format", "cose"], ["doctor"],
        ]
        for command in commands {
            let outcome = try home.keyroll.withUmask(mask, command, input: Data("plaintext".utf8))
            #expect(outcome.code == 0, "\(command): \(outcome.errors)")
            try expectPrivate(home, command.joined(separator: " "))
        }
        // A ring that is mended makes files as well.
        try FileManager.default.removeItem(atPath: home.file("keys-copy.sqlite"))
        try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: home.file("keys.sqlite")))
        #expect(try home.keyroll.withUmask(mask, ["list"]).code == 74)
    }

    @Test(arguments: ["000", "077"]) func whileAJobIsAtWork(_ mask: String) throws {
        let home = try ScratchHome(isMade: false)
        #expect(try home.keyroll.withUmask(mask, ["init"]).code == 0)
        let file = try home.write("in.jsonl", Secrets.accounts(4000))
        #expect(try home.keyroll.withUmask(mask, ["import", file]).code == 0)
        let child = try home.keyroll.start(["rotate", "--force", "--max-rate", "2000"])
        try home.waitUntilHalfMoved(child, to: 2)
        try expectPrivate(home, "the middle of a rotation")
        #expect(child.wait().code == 0)
        try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: home.file("keys.sqlite")))
        try home.setMode("keys.sqlite", 0o600)
        #expect(try home.keyroll.withUmask(mask, ["rotate", "--force"]).code == 0)
        try expectPrivate(home, "a ring was mended")
    }
}
