import Cryptography
import Envelopes
import Files
import Home
import Jobs
import KeyManagement
import Keyroll
import Protection
import SecretStores
import TestServers
import Testing

/// A home in a folder of its own.
final class TestHome: Sendable {
    let folder: TemporaryFolder
    let home: Home

    /// Where the secrets lie.
    enum Kind: String, CaseIterable, Sendable {
        case sqlite
        case postgres

        fileprivate func store(_ schema: String) throws -> HomeConfiguration.Store {
            switch self {
            case .sqlite: .init(path: "secrets.sqlite")
            case .postgres:
                .init(
                    name: "secrets",
                    kind: .postgres(connection: try TestHome.database.get().connection, schema: schema, timeout: 60))
            }
        }
    }

    private static let database = Result { try PostgresServer.shared.database() }

    /// A home as long as `body` runs, its secrets in a store of a kind.
    static func run(on kind: Kind, _ body: (TestHome) throws -> Void) throws {
        let home = try TestHome(store: kind.store("home_\(UInt64.random(in: 0 ... .max))"))
        defer { withExtendedLifetime(home) {} }
        try body(home)
    }

    private init(store: HomeConfiguration.Store) throws {
        folder = try TemporaryFolder()
        let layout = HomeLayout(folder.path + "/home")
        let configuration = HomeConfiguration(
            group: "test", policy: .standard, rootKey: .keyFile("root.key"), stores: [store])
        try Home.create(layout, configuration: configuration, ask: KeyGroup.noPassphrase)
        home = try Home.open(layout, ask: KeyGroup.noPassphrase)
    }

    init(policy: Policy = .standard, stores: [String] = ["secrets.sqlite"]) throws {
        folder = try TemporaryFolder()
        let layout = HomeLayout(folder.path + "/home")
        let configuration = HomeConfiguration(
            group: "test", policy: policy, rootKey: .keyFile("root.key"), stores: stores.map { .init(path: $0) })
        try Home.create(layout, configuration: configuration, ask: KeyGroup.noPassphrase)
        home = try Home.open(layout, ask: KeyGroup.noPassphrase)
    }

    /// A home as long as `body` runs.
    static func run(
        policy: Policy = .standard, stores: [String] = ["secrets.sqlite"], _ body: (TestHome) throws -> Void
    ) throws {
        let home = try TestHome(policy: policy, stores: stores)
        defer { withExtendedLifetime(home) {} }
        try body(home)
    }

    var store: any SecretStore { home.store }
    var keeper: RingKeeper { home.keeper }
    var path: String { home.layout.path }

    /// The same home as another process has it.
    func again() throws -> Home { try Home.open(home.layout, ask: KeyGroup.noPassphrase) }

    /// Makes and activates a generation, and raises the fences, as the first half of a rotation does.
    @discardableResult
    func roll() throws -> UInt32 {
        let number = try home.publish(reason: "a test")
        try keeper.update { try $0.activate(number, at: .now, reason: "a test") }
        for store in home.stores { try store.raiseFence(to: activeMark()) }
        return number
    }

    func activeMark() throws -> GenerationMark { GenerationMark(try keeper.keyring.active().generation) }

    /// The secret of a name.
    static func plaintext(_ name: String) -> [UInt8] {
        Array("the secret of \(name)".utf8) + [UInt8](repeating: 7, count: name.utf8.reduce(0) { ($0 + Int($1)) % 90 })
    }

    /// Writes secrets under the active generation: many at once.
    func fill(_ names: [String], in store: (any SecretStore)? = nil) throws {
        let maker = try ContentMaker(keeper.keyring)
        let plaintexts = names.map(Self.plaintext)
        let lengths = plaintexts.map { MessageBody.length(plaintext: $0.count, contentType: .bytes) }
        let total = zip(names, zip(plaintexts, lengths)).reduce(0) { sum, item in
            sum + item.0.utf8.count + item.1.0.count + item.1.1 + Slot.length
        }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, total), alignment: 16)
        defer { memory.deallocate() }
        var used = 0
        func room(_ count: Int) -> UnsafeMutableRawBufferPointer {
            defer { used += count }
            return UnsafeMutableRawBufferPointer(rebasing: memory[used..<used + count])
        }
        func put(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
            let place = room(bytes.count)
            place.copyBytes(from: bytes)
            return UnsafeRawBufferPointer(place)
        }
        var pending: [PendingSecret] = []
        let items = names.indices.map { index in
            let item = ContentMaker.Item(
                name: put(Array(names[index].utf8)), context: nil, plaintext: put(plaintexts[index]),
                contentType: .bytes, body: room(lengths[index]).baseAddress!, slot: room(Slot.length).baseAddress!)
            pending.append(
                PendingSecret(
                    name: item.name, context: nil,
                    body: UnsafeRawBufferPointer(start: item.body, count: lengths[index]), slot: item.slot,
                    birth: maker.mark.number))
            return item
        }
        try maker.protect(items.count) { items[$0] }
        _ = try pending.withUnsafeBufferPointer {
            try (store ?? self.store).write($0, under: maker.mark) { _, _ in .replace }
        }
    }

    /// Names that a test fills with.
    static func names(_ count: Int, _ prefix: String = "name") -> [String] { (0..<count).map { "\(prefix) \($0)" } }

    /// Every secret of a store, unprotected; one that does not open is a test's failure unless it is named.
    func plaintexts(of store: (any SecretStore)? = nil, closed: Set<String> = []) throws -> [String: [UInt8]] {
        let store = store ?? self.store
        let reader = try store.contentReader()
        let opener = try ContentOpener(group: store.group, keys: KeySource(keeper))
        let batch = ContentBatch()
        var found: [String: [UInt8]] = [:]
        while true {
            batch.reset()
            guard try reader.read(into: batch, selecting: .all) else { return found }
            func name(_ index: Int) -> String {
                String(decoding: batch.bytes(batch.records[index].name), as: UTF8.self)
            }
            try opener.open(batch) { index, plaintext, _ in found[name(index)] = Array(plaintext) }
            for failure in batch.failures {
                let failed = failure.index.map(name) ?? "\(failure.place)"
                if !closed.contains(failed) { Issue.record("\(failed) does not open: \(failure.reason)") }
            }
        }
    }

    /// Fails unless exactly these secrets are there, each with its own plaintext.
    func expectAll(_ names: [String], in store: (any SecretStore)? = nil, closed: Set<String> = []) throws {
        let found = try plaintexts(of: store, closed: closed)
        #expect(found.count == names.count - closed.count)
        for name in names where !closed.contains(name) { #expect(found[name] == Self.plaintext(name), "\(name)") }
    }

    /// A secret's slot.
    func slot(_ name: String) throws -> [UInt8]? { try store.secret(named: Array(name.utf8))?.slot }
}
