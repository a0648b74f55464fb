import Cryptography
import KeyManagement
public import SecretStores

/// A store of the configuration that cannot be reached now.
public struct UnreachableStore: Sendable {
    /// Its name in the configuration.
    public var name: String
    /// Where it is.
    public var place: String
    /// What opening it gave.
    public var error: any Error

    /// - Parameters:
    ///   - name: its name in the configuration.
    ///   - place: where it is.
    ///   - error: what opening it gave.
    public init(name: String, place: String, error: any Error) {
        self.name = name
        self.place = place
        self.error = error
    }

    /// One lower-case line for people.
    public var line: String { "store '\(name)' cannot be reached: \(error)" }
}

/// The stores of a home: which there are, and which can be reached.
extension Home {
    /// Opens what can be opened.
    ///
    /// - Throws: what is a refusal; where none can be reached, what the first one gave.
    static func openStores(
        _ configuration: HomeConfiguration, _ layout: HomeLayout, _ keeper: RingKeeper
    ) throws -> (stores: [any SecretStore], unreachable: [UnreachableStore]) {
        var opened: [any SecretStore] = []
        var unreachable: [UnreachableStore] = []
        for store in configuration.stores {
            do { opened.append(try open(store, layout, keeper)) } catch  where isUnreachable(error) {
                unreachable.append(
                    UnreachableStore(name: store.name, place: StoreKinds.place(store, layout), error: error))
            }
        }
        if opened.isEmpty, let first = unreachable.first { throw first.error }
        return (opened, unreachable)
    }

    private static func open(
        _ store: HomeConfiguration.Store, _ layout: HomeLayout, _ keeper: RingKeeper
    ) throws -> any SecretStore {
        let opened = try StoreKinds.open(store, layout, group: keeper.keyring.ring.group)
        do { try check(opened, keeper.keyring.ring) } catch let error as StoreError
            where error.code == .foreignGenerations
        {
            // Another process may have rolled since the ring was read, as while a passphrase was typed.
            try check(opened, keeper.reload().ring)
        }
        return opened
    }

    /// The reachable stores with their names, in the configuration's order.
    public var namedStores: [(name: String, store: any SecretStore)] {
        let away = Set(unreachable.map(\.name))
        return zip(configuration.stores.map(\.name).filter { !away.contains($0) }, stores).map { ($0, $1) }
    }

    /// The same home without a store that went away.
    ///
    /// - Parameters:
    ///   - name: the store's name.
    ///   - error: what told that it is away.
    public func without(_ name: String, because error: any Error) -> Home {
        guard let entry = configuration.store(named: name) else { return self }
        let away = UnreachableStore(name: name, place: StoreKinds.place(entry, layout), error: error)
        return Home(
            layout: layout, configuration: configuration, keeper: keeper,
            stores: namedStores.filter { $0.name != name }.map(\.store), unreachable: unreachable + [away], audit: audit
        )
    }

    /// The store of a name.
    ///
    /// - Throws: ``HomeError`` with `noSuchStore` or `unreachable`.
    public func store(named name: String) throws -> any SecretStore {
        if let found = namedStores.first(where: { $0.name == name }) { return found.store }
        if let away = unreachable.first(where: { $0.name == name }) { throw HomeError(.unreachable, away.line) }
        throw HomeError(
            .noSuchStore, "no store is named '\(name)'; keyroll.yaml has: \(configuration.storeNames)")
    }

    /// The store that takes what nobody named a store for: the first one of the configuration.
    ///
    /// - Throws: ``HomeError`` with `unreachable`: another one never takes its place.
    public func firstStore() throws -> any SecretStore {
        guard let away = unreachable.first, away.name == configuration.stores.first?.name else { return stores[0] }
        throw HomeError(.unreachable, away.line + "; name another one with --store")
    }

    /// Refuses what must not be done while a store is away.
    ///
    /// - Parameter consequence: why, such as "a backup would lack it".
    /// - Throws: ``HomeError`` with `unreachable`.
    public func requireAllStores(_ consequence: String) throws {
        guard let away = unreachable.first else { return }
        throw HomeError(.unreachable, "\(away.line); \(consequence), nothing was changed")
    }
}
