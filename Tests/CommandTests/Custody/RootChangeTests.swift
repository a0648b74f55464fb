import Foundation
import Testing

/// Another root key: a key file, a passphrase, a key file again.
@Suite struct RootChangeTests {
    private static let passphrase: [Int32: Data] = [9: Data("correct horse\n".utf8)]

    @Test func keyFileToPassphraseToKeyFile() throws {
        let home = try ScratchHome.quick()
        let secrets = Secrets(20)
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
        try home.keyroll("root", "change", "--to-passphrase", "--new-passphrase-fd", "9", descriptors: Self.passphrase)
        // The old root key's file is still there, and opens nothing.
        #expect(home.has("root.key") && !home.has("keyroll.yaml.next"))
        try home.keyroll("export", "--format", "jsonl", exits: 69)
        let wrong: [Int32: Data] = [9: Data("correct horse battery\n".utf8)]
        try home.keyroll("verify", "--passphrase-fd", "9", descriptors: wrong, exits: 78)
        try home.keyroll("verify", "--passphrase-fd", "9", descriptors: Self.passphrase)
        try home.keyroll("rotate", "--force", "--passphrase-fd", "9", descriptors: Self.passphrase)
        try home.keyroll("archive", "verify", "--passphrase-fd", "9", descriptors: Self.passphrase)
        let yaml = try String(contentsOfFile: home.file("keyroll.yaml"), encoding: .utf8)
        try yaml.replacing("provider: passphrase", with: "provider: keyFile\n  path: root.key").write(
            toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
        let before = try home.files()
        let refused = try home.keyroll("verify", exits: 78)
        refused.expectRefusal("root")
        #expect(try home.files() == before)
        try yaml.write(toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)

        try home.keyroll("root", "change", "--passphrase-fd", "9", descriptors: Self.passphrase)
        #expect(home.has("root-2.key"))
        try home.remove("root.key")
        try home.expectContents(secrets)
        try home.expectBundlesWhole()
        try home.keyroll("archive", "restore", "--generation", "1", "--for", "1d", "--reason", "why")
        try home.keyroll("rotate", "--force")
        try home.keyroll("doctor")
    }

    @Test func theOldRootKeyIsRefused() throws {
        let home = try ScratchHome.guarded()
        let secrets = Secrets(20)
        try home.fill(secrets)
        try home.keyroll("backup", home.folder + "/backup")
        try home.copy(["root.key"], to: home.folder + "/old")
        try home.keyroll("root", "change", "--key-file", "other.key")
        try home.keyroll("root", "change", "--key-file", "other.key", exits: 73)
        try home.expectContents(secrets)
        let mode = try FileManager.default.attributesOfItem(atPath: home.file("other.key"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try home.copy(["other.key"], to: home.folder + "/new")
        try home.remove("other.key")
        try FileManager.default.copyItem(atPath: home.folder + "/old/root.key", toPath: home.file("other.key"))
        let before = try home.files()
        try home.keyroll("verify", exits: 78).expectRefusal("not the root key")
        #expect(try home.files() == before)
        // Older backups still open with the key from their day.
        let restored = Keyroll(home: home.folder + "/restored")
        try restored("restore", home.folder + "/backup", "--root-key", home.folder + "/old/root.key")
        #expect(try restored.secrets() == secrets)
    }

    /// Cut off after the ring was sealed anew and before the configuration took its place.
    @Test func openingFinishesAChange() throws {
        let home = try ScratchHome.guarded()
        let secrets = Secrets(20)
        try home.fill(secrets)
        let old = try Data(contentsOf: URL(fileURLWithPath: home.file("keyroll.yaml")))
        try home.keyroll("root", "change")
        let new = try Data(contentsOf: URL(fileURLWithPath: home.file("keyroll.yaml")))
        #expect(old != new)
        try new.write(to: URL(fileURLWithPath: home.file("keyroll.yaml.next")))
        try home.setMode("keyroll.yaml.next", 0o600)
        try old.write(to: URL(fileURLWithPath: home.file("keyroll.yaml")))
        try home.setMode("keyroll.yaml", 0o600)
        try home.expectContents(secrets)
        #expect(!home.has("keyroll.yaml.next"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: home.file("keyroll.yaml"))) == new)
    }

    /// Cut off before the ring was sealed anew: the old configuration holds.
    @Test func aChangeThatDidNotComeToTheRing() throws {
        let home = try ScratchHome.guarded()
        let secrets = Secrets(20)
        try home.fill(secrets)
        let yaml = try String(contentsOfFile: home.file("keyroll.yaml"), encoding: .utf8)
        try yaml.replacing("root.key", with: "root-2.key").write(
            toFile: home.file("keyroll.yaml.next"), atomically: false, encoding: .utf8)
        try home.setMode("keyroll.yaml.next", 0o600)
        try home.expectContents(secrets)
        #expect(try String(contentsOfFile: home.file("keyroll.yaml"), encoding: .utf8) == yaml)
        try home.keyroll("root", "change")
        try home.expectContents(secrets)
    }
}
