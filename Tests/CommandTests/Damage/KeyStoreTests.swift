import Foundation
import Testing

/// Damage to one copy of the ring is mended from the other one; damage to both is refused.
@Suite struct KeyStoreTests {
    static let names = ["keys.sqlite", "keys-copy.sqlite"]
    private static let page = 4096

    private func other(_ name: String) -> String { name == Self.names[0] ? Self.names[1] : Self.names[0] }

    private func read(_ home: ScratchHome, _ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: home.file(name)))
    }

    private func write(_ home: ScratchHome, _ name: String, _ content: Data) throws {
        try content.write(to: URL(fileURLWithPath: home.file(name)))
        try home.setMode(name, 0o600)
    }

    /// A home whose ring takes several pages.
    private func home(_ secrets: Secrets) throws -> ScratchHome {
        let home = try ScratchHome()
        try home.fill(secrets)
        for _ in 0..<12 { try home.keyroll("generation", "create", "--reason", String(repeating: "r", count: 300)) }
        try home.keyroll("generation", "activate", "13")
        try home.keyroll("rotate")
        return home
    }

    /// The damage is found and mended, the damaged file is kept, and the mended copy alone is enough.
    private func expectMended(
        _ home: ScratchHome, _ name: String, _ secrets: Secrets, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let found = try home.keyroll("doctor", exits: 3, sourceLocation: sourceLocation)
        #expect(found.text.contains("\(name) was damaged or missing"), "\(found.text)", sourceLocation: sourceLocation)
        try home.keyroll("doctor", sourceLocation: sourceLocation)
        let copies = try Self.names.map { try read(home, $0) }
        #expect(!copies.contains { $0.isEmpty }, sourceLocation: sourceLocation)
        let good = try read(home, other(name))
        try FileManager.default.removeItem(atPath: home.file(other(name)))
        try home.expectContents(secrets, sourceLocation: sourceLocation)
        try write(home, other(name), good)
    }

    @Test(arguments: names) func everyPageInTurn(_ name: String) throws {
        let secrets = Secrets(20)
        let home = try home(secrets)
        let whole = try read(home, name)
        #expect(whole.count >= 3 * Self.page)
        var random = SystemRandomNumberGenerator()
        for start in stride(from: 0, to: whole.count, by: Self.page) {
            for content in [Data(count: Self.page), Data.random(Self.page, using: &random)] {
                var damaged = whole
                damaged.replaceSubrange(start..<start + Self.page, with: content)
                // A free page is all zero as it is.
                if damaged == whole { continue }
                try write(home, name, damaged)
                try expectMended(home, name, secrets)
                try write(home, name, whole)
            }
        }
    }

    @Test(arguments: names) func goneEmptyOrCutShort(_ name: String) throws {
        let secrets = Secrets(20)
        let home = try home(secrets)
        let whole = try read(home, name)
        try FileManager.default.removeItem(atPath: home.file(name))
        try expectMended(home, name, secrets)
        for length in [0, 1, 100, Self.page, whole.count - Self.page, whole.count - 1] {
            try write(home, name, whole.prefix(length))
            try expectMended(home, name, secrets)
        }
    }

    static let edits = [
        "UPDATE ring SET sequence = sequence + 1", "UPDATE ring SET document = zeroblob(length(document))",
        "UPDATE ring SET mac = randomblob(32)", "UPDATE ring SET mac = x''",
        "UPDATE ring SET document = substr(document, 1, length(document) - 1)",
        "UPDATE ring SET document = CAST(replace(document, CAST('deactivated' AS BLOB), 'compromised') AS BLOB)",
        "UPDATE ring SET group_identity = randomblob(16)", "UPDATE ring SET root_key_check = randomblob(16)",
        "UPDATE ring SET root_key_parameters = x'a0'",
    ]

    static let removals = ["DELETE FROM ring", "DROP TABLE ring"]

    @Test(arguments: edits + removals) func editOfOneCopyIsMended(_ edit: String) throws {
        let secrets = Secrets(5)
        for name in Self.names {
            let home = try ScratchHome()
            try home.fill(secrets)
            try home.keyroll("rotate", "--force")
            try Python.damage(home, "sql", name, edit)
            try expectMended(home, name, secrets)
            try home.keyroll("rotate", "--force")
            try home.expectContents(secrets)
        }
    }

    @Test(arguments: edits) func editOfBothIs78(_ edit: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(5))
        try home.keyroll("rotate", "--force")
        for name in Self.names { try Python.damage(home, "sql", name, edit) }
        let before = try home.files()
        for command in [["get", "secret-0"], ["put", "new"], ["rotate", "--force"], ["verify"], ["status"]] {
            let outcome = try home.keyroll.run(command)
            #expect(outcome.code == 78, "\(command): \(outcome.errors)")
            outcome.expectRefusal("key")
        }
        #expect(try home.files() == before)
    }

    @Test(arguments: removals) func removalFromBothSaysWhatIsWrong(_ removal: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(5))
        for name in Self.names { try Python.damage(home, "sql", name, removal) }
        let before = try home.files()
        for command in [["get", "secret-0"], ["rotate", "--force"]] {
            let outcome = try home.keyroll.run(command)
            #expect(outcome.code == 74 || outcome.code == 78, "\(command): \(outcome.errors)")
            outcome.expectRefusal("keys.sqlite")
        }
        #expect(try home.files() == before)
    }

    @Test func bothCopiesDamagedIs74() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(5))
        for name in Self.names { try write(home, name, Data(repeating: 0xA5, count: 8192)) }
        let before = try home.files()
        for command in [["get", "secret-0"], ["put", "new"], ["rotate", "--force"]] {
            let outcome = try home.keyroll.run(command)
            #expect(outcome.code == 74, "\(command): \(outcome.errors)")
            outcome.expectRefusal("keys.sqlite")
        }
        #expect(try home.files() == before)
    }

    @Test func aCopyThatIsBehindIsNoDamage() throws {
        let home = try ScratchHome()
        let secrets = Secrets(5)
        try home.fill(secrets)
        let behind = try read(home, Self.names[1])
        try home.keyroll("rotate", "--force")
        // As a crash between the two copies leaves it.
        try write(home, Self.names[1], behind)
        try home.expectContents(secrets)
        try home.keyroll("rotate", "--force")
        try FileManager.default.removeItem(atPath: home.file(Self.names[0]))
        try home.expectContents(secrets)
        #expect(try home.census().active == 3)
    }
}
