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
    /// The stores that can be reached, in the configuration's order; at least one.
    public let stores: [any SecretStore]
    /// The stores that cannot be reached now. They block what takes keys away, and nothing else.
    public let unreachable: [UnreachableStore]

    /// The audit log.
    let audit: HomeAudit

    /// A home of parts that were opened and held against one another already; what it changes in the ring is logged.
    public convenience init(
        layout: HomeLayout, configuration: HomeConfiguration, keeper: RingKeeper, stores: [any SecretStore],
        unreachable: [UnreachableStore] = []
    ) {
        let audit = HomeAudit(folder: layout.audit, forwardAudit: configuration.forwardAudit)
        audit.watch(keeper)
        self.init(
            layout: layout, configuration: configuration, keeper: keeper, stores: stores, unreachable: unreachable,
            audit: audit)
    }

    init(
        layout: HomeLayout, configuration: HomeConfiguration, keeper: RingKeeper, stores: [any SecretStore],
        unreachable: [UnreachableStore], audit: HomeAudit
    ) {
        self.audit = audit
        self.layout = layout
        self.configuration = configuration
        self.keeper = keeper
        self.stores = stores
        self.unreachable = unreachable
    }

    /// The first store that can be reached. What is about one secret asks ``find(_:in:)`` instead.
    public var store: any SecretStore { stores[0] }

    /// Opens a home, and refuses before anything is written: files that others can reach, a wrong root key, an edited
    /// ring, a store of another group or ring, anything newer than this keyroll. A store that is merely not there now
    /// is in ``unreachable``.
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
        let audit = HomeAudit(folder: layout.audit, forwardAudit: configuration.forwardAudit)
        audit.watch(keeper)
        keeper.keepTime()
        let (stores, unreachable) = try openStores(configuration, layout, keeper)
        return Home(
            layout: layout, configuration: configuration, keeper: keeper, stores: stores, unreachable: unreachable,
            audit: audit)
    }

    /// The configuration and the ring; where a change of the root key was cut off between ring and configuration, it is
    /// finished first.
    private static func openRing(
        _ layout: HomeLayout, _ ask: @escaping Ask, _ takesOlder: Bool
    ) throws -> (HomeConfiguration, RingKeeper) {
        func keeper(_ configuration: HomeConfiguration) throws -> RingKeeper {
            try RingKeeper.open(
                RepositoryKinds.open(configuration, layout), provider: provider(configuration, layout, ask: ask),
                takesOlder: takesOlder)
        }
        var configuration = try HomeConfiguration(path: layout.configuration)
        do { return (configuration, try keeper(configuration)) } catch let error as KeyManagementError
            where [.wrongRootKey, .rootKeyMalformed, .rootKeyUnavailable].contains(error.code)
        {
            // Another process may have finished a change since the configuration was read.
            let again = try HomeConfiguration(path: layout.configuration)
            if again.rootKey != configuration.rootKey { return (again, try keeper(again)) }
            guard let next = try? HomeConfiguration(path: layout.nextConfiguration) else { throw error }
            configuration.rootKey = next.rootKey
            guard let opened = try? keeper(configuration) else { throw error }
            // What else was written into the configuration meanwhile stays.
            if configuration == next {
                guard rename(layout.nextConfiguration, layout.configuration) == 0 || errno == ENOENT else {
                    throw FileError.current(layout.configuration, "cannot finish the change of the root key")
                }
            } else {
                try Array(configuration.text.utf8).withUnsafeBytes {
                    try PrivateFile.write(layout.configuration, $0, replacing: true)
                }
                unlink(layout.nextConfiguration)
            }
            try PrivateFile.syncDirectory(of: layout.configuration)
            return (configuration, opened)
        }
    }

    /// A store that has a generation which the ring lacks, or has under another identity, belongs to another ring, or
    /// the ring comes from an older backup. An older store with a newer ring is fine.
    public static func check(_ store: any SecretStore, _ ring: Ring) throws {
        try check(store.place, store.marks(), ring)
    }

    /// The same for a copy that was only looked at.
    public static func check(_ place: String, _ marks: StoreMarks, _ ring: Ring) throws {
        for mark in marks.generations {
            guard let known = ring.generation(mark.number) else {
                throw StoreError(
                    .foreignGenerations,
                    "\(place) has secrets of generation \(mark.number), which this ring (up to \(ring.highestNumber)) does not have: the key store is older than the secret store; nothing was changed"
                )
            }
            guard known.identity == mark.identity, known.checkValue == mark.checkValue else {
                throw StoreError(
                    .foreignGenerations,
                    "\(place) knows another generation \(mark.number) than this ring has: they do not belong together; nothing was changed"
                )
            }
        }
    }

    /// The folder that the bundles lie in.
    public var bundlesPath: String { layout.resolve(configuration.bundles) }

    /// The run lock: two jobs never run in one home at once.
    ///
    /// - Throws: `OwnerLock.Busy`, which names the owner; ``HomeError`` with `changedMeanwhile` where the home got or lost
    ///   a store since it was opened: what does not know of a store must not decide which keys are needed.
    public func lock(for command: String) throws -> OwnerLock {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let lock = try OwnerLock.take(
            layout.lock, owner: "\(command), process \(getpid()) on \(host), since \(Timestamp.now)")
        // What others did before this one had the lock counts, as while a passphrase was typed.
        try keeper.reload()
        guard try HomeConfiguration(path: layout.configuration).stores == configuration.stores else {
            throw HomeError(
                .changedMeanwhile, "\(layout.configuration): its stores were changed a moment ago; run it again")
        }
        try removeDrafts()
        return lock
    }

    /// Secrets of a store that a rotation could move: not under the active generation, nor under one whose key is not on
    /// line, nor quarantined.
    public func movable(_ store: any SecretStore) throws -> Int64 {
        let census = try store.census()
        let quarantined = try store.quarantineByGeneration()
        return counts(census) { number in
            guard let generation = keeper.keyring.ring.generation(number) else { return true }
            return generation.state != .active && !isOffLine(generation)
        }.reduce(0) { sum, entry in
            let listed = quarantined[entry.key]
            return sum + max(0, entry.value - (listed?.open ?? 0) - (listed?.accepted ?? 0))
        }
    }

    /// Secrets of a store by generation whose keys are in bundles only.
    public func archived(_ store: any SecretStore) throws -> [UInt32: Int64] {
        counts(try store.census()) { number in
            keeper.keyring.ring.generation(number).map(isOffLine) ?? false
        }
    }

    private func counts(_ census: Census, _ isCounted: (UInt32) -> Bool) -> [UInt32: Int64] {
        census.counts.filter { isCounted($0.key) }
    }

    private func isOffLine(_ generation: Generation) -> Bool {
        generation.state != .destroyed && generation.isArchived && generation.restoration?.isOver() != false
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
