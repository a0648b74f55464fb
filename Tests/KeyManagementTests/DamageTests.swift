import Cryptography
import Files
import Foundation
import KeyManagement
import Testing

/// Disks that lose files, and files that lose their contents.
@Suite struct DamageTests {
    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable (TemporaryFolder, String) throws -> Void
    }

    static let damages: [Damage] = [
        Damage(testDescription: "missing") { try $0.remove($1) },
        Damage(testDescription: "empty") { try $0.write($1, []) },
        Damage(testDescription: "half of it") { try $0.write($1, $0.bytes($1).prefix(4096)) },
        Damage(testDescription: "all zeros") { try $0.write($1, [UInt8](repeating: 0, count: $0.bytes($1).count)) },
        Damage(testDescription: "text") { try $0.write($1, Array(String(repeating: "no database ", count: 900).utf8)) },
        Damage(testDescription: "header overwritten") {
            try $0.write($1, [UInt8](repeating: 0xFF, count: 100) + $0.bytes($1).dropFirst(100))
        },
        Damage(testDescription: "last page overwritten") {
            let bytes = try $0.bytes($1)
            try $0.write($1, bytes.dropLast(4096) + [UInt8](repeating: 0xAA, count: 4096))
        },
        Damage(testDescription: "no row") { try RawDatabase.run($0.path + "/" + $1, "DELETE FROM ring") },
        Damage(testDescription: "no table") { try RawDatabase.run($0.path + "/" + $1, "DROP TABLE ring") },
        Damage(testDescription: "another table") {
            try RawDatabase.run($0.path + "/" + $1, "DROP TABLE ring; CREATE TABLE ring (id INTEGER PRIMARY KEY, x)")
        },
    ]

    private let store: KeyStore

    init() throws {
        store = try KeyStore()
        try store.create(rolls: 2)
    }

    @Test(arguments: damages, [KeyStore.first, KeyStore.second])
    func oneCopyIsEnough(damage: Damage, name: String) throws {
        let good = try store.rows()[0]
        try damage.make(store.folder, name)
        let keeper = try store.open()
        #expect(keeper.keyring.ring.states == [1: .deactivated, 2: .active])
        #expect(keeper.repaired.count == 1 && keeper.repaired[0].contains(store.folder.path + "/" + name))
        #expect(try store.rows() == [good, good])
        #expect(try store.open().repaired.isEmpty)
        let attributes = try FileManager.default.attributesOfItem(atPath: store.folder.path + "/" + name)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    /// A running keeper mends it as well, and goes on.
    @Test(arguments: damages, [KeyStore.first, KeyStore.second])
    func damageWhileOpen(damage: Damage, name: String) throws {
        let keeper = try store.open()
        try damage.make(store.folder, name)
        try keeper.roll()
        #expect(keeper.repaired.count == 1)
        #expect(try store.rows()[0] == store.rows()[1])
        #expect(try store.open().keyring.ring.active?.number == 3)
    }

    @Test(arguments: damages)
    func bothDamaged(damage: Damage) throws {
        for name in [KeyStore.first, KeyStore.second] { try damage.make(store.folder, name) }
        let before = try store.folder.contents()
        #expect(throws: (any Error).self) { _ = try store.open() }
        #expect(try store.folder.contents() == before)
    }

    @Test func nothingThere() throws {
        for name in [KeyStore.first, KeyStore.second] { try store.folder.remove(name) }
        do {
            _ = try store.open()
            Issue.record("was opened")
        } catch let error as FileError { #expect(error.code == .missing) }
        #expect(try store.folder.names() == ["root.key", "keys.sqlite.lock"])
    }

    @Test(arguments: [KeyStore.first, KeyStore.second], [0o640, 0o604, 0o660, 0o644] as [mode_t])
    func readableByOthersIsRefused(name: String, mode: mode_t) throws {
        chmod(store.folder.path + "/" + name, mode)
        do {
            _ = try store.open()
            Issue.record("was opened")
        } catch let error as FileError { #expect(error.code == .unsafe && error.path.hasSuffix(name)) }
        chmod(store.folder.path + "/" + name, 0o600)
        #expect(try store.open().repaired.isEmpty)
    }

    @Test(arguments: [KeyStore.first, KeyStore.second])
    func linksAreRefused(name: String) throws {
        let path = store.folder.path + "/" + name
        rename(path, path + ".real")
        symlink(path + ".real", path)
        #expect(throws: FileError.self) { _ = try store.open() }
    }

    @Test func anotherRootKey() throws {
        try store.folder.remove("root.key")
        try store.provider.create()
        let before = try store.folder.contents()
        #expect(code { _ = try store.open() } == .wrongRootKey)
        #expect(try store.folder.contents() == before)
    }

    /// The root key of another ring, and its generations in this one.
    @Test func anotherRing() throws {
        let other = try KeyStore()
        try other.create(rolls: 1)
        #expect(code { _ = try RingKeeper.open(store.repository, provider: other.provider) } == .wrongRootKey)
        // One copy of each: the one that is not this root key's is damage.
        try store.folder.write(KeyStore.second, other.folder.bytes(KeyStore.second))
        let keeper = try store.open()
        #expect(keeper.keyring.ring.states == [1: .deactivated, 2: .active])
        #expect(try store.rows()[0] == store.rows()[1])
    }
}
