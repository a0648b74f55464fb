import Cryptography
import Foundation
import SecretStores
import Testing

/// One kind of store, for the conformance suite. A new kind is one more entry of ``all``.
struct StoreKind: Sendable, CustomTestStringConvertible {
    static let all: [StoreKind] = [.sqlite]

    let testDescription: String
    let create: @Sendable (TemporaryFolder, Identity) throws -> any SecretStore
    let open: @Sendable (TemporaryFolder, Identity) throws -> any SecretStore
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
        damage: { folder, damage in
            let path = folder.path + "/secrets.sqlite"
            switch damage {
            case .slot(let place, let bytes, let slotsPerPage):
                let digits = try RawDatabase.run(path, "SELECT hex(slots) FROM key_page WHERE page = \(place.page)")
                var page = SecretStoresTests.bytes(digits[0][0]!)
                page.replaceSubrange(place.slot * Slot.length..<(place.slot + 1) * Slot.length, with: bytes)
                precondition(page.count == slotsPerPage * Slot.length)
                try RawDatabase.run(
                    path, "UPDATE key_page SET slots = X'\(hexadecimal(page))' WHERE page = \(place.page)")
            case .lostContent(let name):
                try RawDatabase.run(path, "DELETE FROM secret WHERE name = '\(name)'")
            case .lostPage(let page):
                try RawDatabase.run(path, "DELETE FROM key_page WHERE page = \(page)")
            case .freeSlots(let page, let count):
                try RawDatabase.run(path, "UPDATE key_page SET free = \(count) WHERE page = \(page)")
            case .newerFormat:
                try RawDatabase.run(path, "UPDATE store SET format = format + 1")
            }
        })
}

extension Fixture {
    /// The bytes of all its files.
    func size() throws -> Int {
        let files = FileManager.default
        return try files.contentsOfDirectory(atPath: folder.path).reduce(0) { sum, name in
            sum + (try files.attributesOfItem(atPath: folder.path + "/" + name)[.size] as? Int ?? 0)
        }
    }
}
