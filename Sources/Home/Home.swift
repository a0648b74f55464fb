public import Cryptography
public import Files
import Glibc
public import KeyManagement
public import SecretStores

/// One home: its configuration, its ring and its stores, opened and held against one another.
public final class Home: Sendable {
    /// Asks for a passphrase.
    public typealias Ask = @Sendable () throws -> SecureBytes

    /// Where its files lie.
    public let layout: HomeLayout
    /// What `keyroll.yaml` says.
    public let configuration: HomeConfiguration
    /// The ring.
    public let keeper: RingKeeper
    /// The stores, in the configuration's order.
    public let stores: [any SecretStore]

    /// A home of parts that were opened and held against one another already.
    public init(
        layout: HomeLayout, configuration: HomeConfiguration, keeper: RingKeeper, stores: [any SecretStore]
    ) {
        self.layout = layout
        self.configuration = configuration
        self.keeper = keeper
        self.stores = stores
    }

    /// The store that put, get and import use.
    public var store: any SecretStore { stores[0] }

    /// Opens a home, and refuses before anything is written: files that others can reach, a wrong root key, an edited
    /// ring, a store of another group or ring, anything newer than this keyroll.
    ///
    /// - Parameters:
    ///   - layout: where it lies.
    ///   - ask: asks for the passphrase, where the root key comes from one.
    ///   - takesOlder: open a ring of the older format as well, as an upgrade does.
    /// - Throws: ``HomeError``, `FileError`, `KeyManagementError`, `StoreError`.
    public static func open(_ layout: HomeLayout, ask: @escaping Ask, takesOlder: Bool = false) throws -> Home {
        guard try PrivateFile.isThere(layout.configuration) else {
            throw HomeError(
                .noHome, "\(layout.path): no keyroll home here; run: keyroll init, or name another with --home")
        }
        try PrivateFile.checkDirectory(layout.path)
        try PrivateFile.check(layout.configuration)
        let (configuration, keeper) = try openRing(layout, ask, takesOlder)
        keeper.keepTime()
        let ring = keeper.keyring.ring
        let stores = try configuration.stores.map { store in
            let opened = try SQLiteSecretStore.open(layout.resolve(store.path), group: ring.group)
            do { try check(opened, ring) } catch let error as StoreError where error.code == .foreignGenerations {
                // Another process may have rolled since the ring was read, as while a passphrase was typed.
                try check(opened, keeper.reload().ring)
            }
            return opened as any SecretStore
        }
        return Home(layout: layout, configuration: configuration, keeper: keeper, stores: stores)
    }

    /// The configuration and the ring; where a change of the root key was cut off between ring and configuration, it is
    /// finished first.
    private static func openRing(
        _ layout: HomeLayout, _ ask: @escaping Ask, _ takesOlder: Bool
    ) throws -> (HomeConfiguration, RingKeeper) {
        let repository = SQLiteKeyRepository(path: layout.keys, copy: layout.keysCopy)
        func keeper(_ configuration: HomeConfiguration) throws -> RingKeeper {
            try RingKeeper.open(
                repository, provider: provider(configuration, layout, ask: ask), takesOlder: takesOlder)
        }
        let configuration = try HomeConfiguration(path: layout.configuration)
        do { return (configuration, try keeper(configuration)) } catch let error as KeyManagementError
            where error.code == .wrongRootKey || error.code == .rootKeyMalformed
        {
            guard PrivateFile.exists(layout.nextConfiguration),
                let next = try? HomeConfiguration(path: layout.nextConfiguration), let opened = try? keeper(next)
            else { throw error }
            guard rename(layout.nextConfiguration, layout.configuration) == 0 else {
                throw FileError.current(layout.configuration, "cannot finish the change of the root key")
            }
            try PrivateFile.syncDirectory(of: layout.configuration)
            return (next, opened)
        }
    }

    /// A store that has a generation which the ring lacks, or has under another identity, belongs to another ring, or
    /// the ring comes from an older backup. An older store with a newer ring is fine.
    static func check(_ store: any SecretStore, _ ring: Ring) throws {
        for mark in try store.marks().generations {
            guard let known = ring.generation(mark.number) else {
                throw StoreError(
                    .foreignGenerations,
                    "\(store.place) has secrets of generation \(mark.number), which this ring (up to \(ring.highestNumber)) does not have: the key store is older than the secret store; nothing was changed"
                )
            }
            guard known.identity == mark.identity, known.checkValue == mark.checkValue else {
                throw StoreError(
                    .foreignGenerations,
                    "\(store.place) knows another generation \(mark.number) than this ring has: they do not belong together; nothing was changed"
                )
            }
        }
    }

    /// The folder that the bundles lie in.
    public var bundlesPath: String { layout.resolve(configuration.bundles) }

    /// The run lock: two jobs never run in one home at once.
    ///
    /// - Throws: `OwnerLock.Busy`, which names the owner.
    public func lock(for command: String) throws -> OwnerLock {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return try OwnerLock.take(
            layout.lock, owner: "\(command), process \(getpid()) on \(host), since \(Timestamp.now)")
    }

    /// The root key provider that a configuration names.
    public static func provider(
        _ configuration: HomeConfiguration, _ layout: HomeLayout, ask: @escaping Ask
    ) -> any RootKeyProvider {
        switch configuration.rootKey {
        case .keyFile(let path): KeyFileProvider(path: layout.resolve(path))
        case .passphrase: PassphraseProvider(ask: ask)
        }
    }
}
