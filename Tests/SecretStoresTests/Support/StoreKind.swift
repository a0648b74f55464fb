import Cryptography
import Foundation
import PostgreSQL
import SecretStores
import TestServers
import Testing

/// One kind of store, for the conformance suite. A new kind is one more entry of ``all``.
struct StoreKind: Sendable, CustomTestStringConvertible {
    static let all: [StoreKind] = [.sqlite, .postgres]

    let testDescription: String
    let create: @Sendable (TemporaryFolder, Identity) throws -> any SecretStore
    let open: @Sendable (TemporaryFolder, Identity) throws -> any SecretStore
    /// Whether a page that says that it has room, and has none, is put right by whoever meets it.
    let mendsRoom: Bool
    /// The bytes that a store takes, when nothing waits to be cleared away.
    let size: @Sendable (TemporaryFolder) throws -> Int
    /// Changes what the store's own code would never change.
    let damage: @Sendable (TemporaryFolder, Damage) throws -> Void

    enum Damage: Sendable {
        /// Other bytes in a slot.
        case slot(SlotPlace, [UInt8], slotsPerPage: Int)
        /// The content of a slot is gone.
        case lostContent(name: String)
        /// The page with a slot is gone.
        case lostPage(Int64)
        /// A page says that it has another number of free slots.
        case freeSlots(page: Int64, Int)
        /// A newer keyroll was here.
        case newerFormat
    }

    /// A store in a folder of its own, as long as `body` runs.
    func run<R>(_ body: (Fixture) throws -> R) throws -> R {
        let fixture = try Fixture(self)
        defer { withExtendedLifetime(fixture) {} }
        return try body(fixture)
    }
}

/// An empty store.
final class Fixture: Sendable {
    let kind: StoreKind
    let folder: TemporaryFolder
    let group: Identity
    let store: any SecretStore

    init(_ kind: StoreKind) throws {
        self.kind = kind
        folder = try TemporaryFolder()
        group = try .random()
        store = try kind.create(folder, group)
    }

    /// The same store through another object, as another process has it.
    func again() throws -> any SecretStore { try kind.open(folder, group) }

    func damage(_ damage: StoreKind.Damage) throws { try kind.damage(folder, damage) }

    /// All slots that are taken, by their places, read page by page.
    func slots() throws -> [SlotPlace: [UInt8]] {
        let reader = try store.pageReader()
        let batch = PageBatch(slotsPerPage: store.slotsPerPage, capacity: 7)
        var found: [SlotPlace: [UInt8]] = [:]
        var last: Int64 = 0
        while true {
            batch.reset()
            try reader.read(into: batch, after: last)
            guard batch.count > 0 else { return found }
            for index in 0..<batch.count {
                for slot in 0..<store.slotsPerPage {
                    let bytes = batch.slot(slot, of: index)
                    if bytes.contains(where: { $0 != 0 }) {
                        found[SlotPlace(page: batch.pages[index], slot: slot)] = bytes
                    }
                }
            }
            last = batch.pages[batch.count - 1]
        }
    }
}

extension PageBatch {
    /// What was read of a slot.
    func slot(_ slot: Int, of index: Int) -> [UInt8] {
        Array(
            UnsafeRawBufferPointer(start: old + index * pageLength + slot * Slot.length, count: Slot.length))
    }
}

extension StoreKind {
    static let sqlite = StoreKind(
        testDescription: "SQLite",
        create: { try SQLiteSecretStore.create($0.path + "/secrets.sqlite", group: $1) },
        open: { try SQLiteSecretStore.open($0.path + "/secrets.sqlite", group: $1) },
        mendsRoom: false,
        size: { folder in
            let files = FileManager.default
            return try files.contentsOfDirectory(atPath: folder.path).reduce(0) { sum, name in
                sum + (try files.attributesOfItem(atPath: folder.path + "/" + name)[.size] as? Int ?? 0)
            }
        },
        damage: { folder, damage in
            let path = folder.path + "/secrets.sqlite"
            try damage.apply(bytes: { "X'\(hexadecimal($0))'" }, free: { "free = \($0)" }) {
                try RawDatabase.run(path, $0)
            }
        })

    static let postgres = StoreKind(
        testDescription: "PostgreSQL",
        create: { try PostgreSQLSecretStore.create(address, schema: $0.schema, group: $1) },
        open: { try PostgreSQLSecretStore.open(address, schema: $0.schema, group: $1) },
        mendsRoom: true,
        size: { folder in
            let database = try database.get()
            try database.run("VACUUM FULL")
            let rows = try database.run(
                "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relkind = 'r' AND relnamespace = '\"\(folder.schema)\"'::regnamespace"
            )
            return Int(rows[0][0] ?? "") ?? 0
        },
        damage: { folder, damage in
            let database = try database.get()
            try damage.apply(bytes: { "'\\x\(hexadecimal($0))'::bytea" }, free: { "has_room = \($0 > 0)" }) {
                try database.run("SET search_path = \"\(folder.schema)\"; \($0)")
            }
        })

    /// All stores of a process lie in one database, each in a schema of its own.
    static let database = Result { try PostgresServer.shared.database() }

    static var address: ServerAddress { get throws { try address(of: database.get()) } }

    static func address(of database: Database) throws -> ServerAddress { try ServerAddress(database.connection) }
}

extension StoreKind.Damage {
    /// - Parameters:
    ///   - bytes: how the kind's SQL writes a literal.
    ///   - free: how it says how many slots of a page are free.
    ///   - run: runs statements and gives the rows; bytes as digits in hexadecimal.
    func apply(bytes: ([UInt8]) -> String, free: (Int) -> String, run: (String) throws -> [[String?]]) throws {
        switch self {
        case .slot(let place, let slot, let slotsPerPage):
            let digits = try run(
                bytes([]).hasPrefix("X")
                    ? "SELECT hex(slots) FROM key_page WHERE page = \(place.page)"
                    : "SELECT encode(slots, 'hex') FROM key_page WHERE page = \(place.page)")
            var page = SecretStoresTests.bytes(digits[0][0]!)
            page.replaceSubrange(place.slot * Slot.length..<(place.slot + 1) * Slot.length, with: slot)
            precondition(page.count == slotsPerPage * Slot.length)
            _ = try run("UPDATE key_page SET slots = \(bytes(page)) WHERE page = \(place.page)")
        case .lostContent(let name): _ = try run("DELETE FROM secret WHERE name = '\(name)'")
        case .lostPage(let page): _ = try run("DELETE FROM key_page WHERE page = \(page)")
        case .freeSlots(let page, let count): _ = try run("UPDATE key_page SET \(free(count)) WHERE page = \(page)")
        case .newerFormat: _ = try run("UPDATE store SET format = format + 1")
        }
    }
}

extension TemporaryFolder {
    /// A schema of the same name.
    var schema: String { String(path.split(separator: "/").last!).replacing("-", with: "_") }
}

extension Fixture {
    /// The bytes that it takes.
    func size() throws -> Int { try kind.size(folder) }
}
