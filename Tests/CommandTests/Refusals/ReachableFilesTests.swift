import Foundation
import Glibc
import Testing

/// Files and folders that others can reach are refused, as ssh does, and the message says how to mend it.
@Suite struct ReachableFilesTests {
    static let files = ["root.key", "keys.sqlite", "keys-copy.sqlite", "secrets.sqlite", "keyroll.yaml"]
    static let commands = [["get", "secret-0"], ["put", "new"], ["rotate", "--force"], ["verify"], ["status"]]

    private func expectRefusals(
        _ home: ScratchHome, _ phrases: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try home.files()
        for command in Self.commands {
            let outcome = try home.keyroll.run(command)
            #expect(outcome.code == 78, "\(command)", sourceLocation: sourceLocation)
            outcome.expectRefusal(phrases, sourceLocation: sourceLocation)
        }
        #expect(try home.files() == before, sourceLocation: sourceLocation)
        let doctor = try home.keyroll("doctor", exits: 3, sourceLocation: sourceLocation)
        #expect(doctor.text.contains("found: ") && doctor.text.contains(phrases), sourceLocation: sourceLocation)
    }

    @Test(arguments: files, [0o640, 0o604, 0o620, 0o660, 0o601]) func reachableFileIs78(
        _ name: String, _ mode: Int
    ) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(1))
        try home.setMode(name, mode)
        try expectRefusals(home, "(mode 0\(String(mode, radix: 8))); run: chmod 600 '\(home.file(name))'")
        try home.setMode(name, 0o600)
        try home.expectAllOpen(1)
    }

    @Test(arguments: [0o750, 0o705, 0o777, 0o701]) func reachableHomeIs78(_ mode: Int) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(1))
        try home.setMode("", mode)
        try expectRefusals(home, "(mode 0\(String(mode, radix: 8))); run: chmod 700 '\(home.path)'")
        try home.setMode("", 0o700)
        try home.expectAllOpen(1)
    }

    @Test(arguments: files) func linkIs78(_ name: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(1))
        let target = home.folder + "/elsewhere"
        try FileManager.default.moveItem(atPath: home.file(name), toPath: target)
        try FileManager.default.createSymbolicLink(atPath: home.file(name), withDestinationPath: target)
        let before = try Data(contentsOf: URL(fileURLWithPath: target))
        for command in Self.commands {
            let outcome = try home.keyroll.run(command)
            #expect(outcome.code == 78, "\(command): \(outcome.errors)")
            outcome.expectRefusal(home.file(name), "not a regular file")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == before)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file to another user"), arguments: files)
    func anothersFileIs78(_ name: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(1))
        #expect(chown(home.file(name), 12345, 12345) == 0)
        let outcome = try home.keyroll("get", "secret-0", exits: 78)
        outcome.expectRefusal(home.file(name), "belongs to another user (uid 12345)", "chown")
    }

    @Test func homeThatIsNoneIs78() throws {
        let home = try ScratchHome(isMade: false)
        for command in Self.commands + [["doctor"], ["list"], ["quarantine", "list"]] {
            let outcome = try home.keyroll.run(command)
            #expect(outcome.code == 78, "\(command)")
            outcome.expectRefusal(home.path, "keyroll init")
        }
        #expect(!FileManager.default.fileExists(atPath: home.path), "nothing was made")
        try FileManager.default.createDirectory(atPath: home.path, withIntermediateDirectories: false)
        try home.keyroll("get", "secret-0", exits: 78).expectRefusal(home.path, "keyroll init")
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path) == [])
    }
}
