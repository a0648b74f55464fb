import Foundation
import Testing

/// A root key that is wrong, gone or misshapen: nothing opens, nothing is written.
@Suite struct RootKeyTests {
    static let commands = [
        ["get", "secret-1"], ["put", "new"], ["put", "secret-1", "--replace"], ["rm", "secret-1"],
        ["mv", "secret-1", "moved"], ["list"], ["rotate", "--force"], ["rotate"], ["verify"], ["status"],
        ["export", "--format", "jsonl"], ["explain", "secret-1"], ["quarantine", "retry"], ["generation", "create"],
        ["generation", "activate", "1"],
    ]

    private func expectRefusals(
        _ home: ScratchHome, code: Int32, _ phrases: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try home.files()
        for command in Self.commands {
            let outcome = try home.keyroll.run(command, input: Data("plaintext".utf8))
            #expect(outcome.code == code, "\(command): \(outcome.errors)", sourceLocation: sourceLocation)
            outcome.expectRefusal(home.file("root.key"), phrases, sourceLocation: sourceLocation)
        }
        #expect(try home.files() == before, sourceLocation: sourceLocation)
        let doctor = try home.keyroll("doctor", exits: 3, sourceLocation: sourceLocation)
        #expect(doctor.text.contains(phrases), sourceLocation: sourceLocation)
    }

    private func key(_ digits: String) -> Data { Data("keyroll-root-key-1 \(digits)\n".utf8) }

    @Test func anotherRootKeyIs78() throws {
        let home = try ScratchHome()
        let secrets = Secrets(50)
        try home.fill(secrets)
        let path = home.file("root.key")
        let right = try Data(contentsOf: URL(fileURLWithPath: path))
        // A whole other key, and the same with one digit changed.
        var near = right
        near[near.count - 2] = near[near.count - 2] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        for wrong in [key(String(repeating: "5a", count: 32)), near] {
            try wrong.write(to: URL(fileURLWithPath: path))
            try expectRefusals(home, code: 78, "not the root key")
        }
        try right.write(to: URL(fileURLWithPath: path))
        try home.keyroll("rotate", "--force")
        try home.expectContents(secrets)
    }

    @Test func missingRootKeyIs69() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(3))
        try home.copy(["root.key"], to: home.folder + "/safe")
        try FileManager.default.removeItem(atPath: home.file("root.key"))
        try expectRefusals(home, code: 69, "the root key is not there")
        try FileManager.default.copyItem(atPath: home.folder + "/safe/root.key", toPath: home.file("root.key"))
        try home.expectAllOpen(3)
    }

    static let misshapen = [
        "", "keyroll-root-key-1 ", "keyroll-root-key-1 00\n", String(repeating: "0", count: 84),
        "keyroll-root-key-1 " + String(repeating: "0g", count: 32) + "\n",
        "keyroll-root-key-2 " + String(repeating: "00", count: 32) + "\n",
        "keyroll-root-key-1 " + String(repeating: "00", count: 32) + "\nmore\n",
    ]

    @Test(arguments: misshapen) func misshapenRootKeyIs78(_ text: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(1))
        try Data(text.utf8).write(to: URL(fileURLWithPath: home.file("root.key")))
        let outcome = try home.keyroll("get", "secret-0", exits: 78)
        outcome.expectRefusal(home.file("root.key"), "not a root key")
    }

    @Test func keyInAnotherPlace() throws {
        let home = try ScratchHome()
        let secrets = Secrets(5)
        try home.fill(secrets)
        try home.copy(["root.key"], to: home.folder + "/usb")
        try FileManager.default.removeItem(atPath: home.file("root.key"))
        let configuration = try String(contentsOfFile: home.file("keyroll.yaml"), encoding: .utf8)
        try configuration.replacing("path: root.key", with: "path: \(home.folder)/usb/root.key").write(
            toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
        try home.keyroll("rotate", "--force")
        try home.expectContents(secrets)
    }
}
