public import SecretStores

/// Names across the stores of a group: a name is looked up in the configuration's order, and the first store that has
/// it counts. With one store that is one lookup, as ever.
extension Home {
    /// A store that was found to hold a name.
    public typealias Holder = (name: String, store: any SecretStore)

    /// The secret of a name, and the store that it lies in.
    ///
    /// - Parameters:
    ///   - name: the secret's name.
    ///   - storeName: the one store to look in; nil for all.
    /// - Throws: `StoreError` with `noSuchSecret`; ``HomeError`` with `unreachable` where it may be in a store that
    ///   cannot be reached.
    public func find(
        _ name: String, in storeName: String? = nil
    ) throws -> (store: any SecretStore, secret: StoredSecret) {
        for store in try stores(named: storeName) {
            if let secret = try store.secret(named: Array(name.utf8)) { return (store, secret) }
        }
        throw absence(of: name, in: storeName)
    }

    /// The stores to look in: one, or all that can be reached.
    public func stores(named storeName: String?) throws -> [any SecretStore] {
        try storeName.map { [try store(named: $0)] } ?? stores
    }

    /// Whether a store has a name, without reading the content.
    public static func holds(_ store: any SecretStore, _ name: String) throws -> Bool {
        // A name is the first of those that begin with it.
        try store.list(after: nil, prefix: Array(name.utf8), limit: 1).first?.name == name
    }

    /// The reachable stores that hold a name, in order.
    public func holders(of name: String) throws -> [Holder] {
        try namedStores.filter { try Self.holds($0.store, name) }
    }

    /// Where a secret is to be written: over what is there, or else into the first store.
    ///
    /// - Parameters:
    ///   - name: the secret's name.
    ///   - storeName: the store to use; nil for the usual one.
    /// - Throws: `StoreError` with `exists` where another store has the name and would hide the new one or be hidden;
    ///   ``HomeError`` with `unreachable` where it may be in a store that cannot be reached, or `noSuchStore`.
    public func target(for name: String, in storeName: String? = nil) throws -> any SecretStore {
        guard configuration.stores.count > 1 else { return try storeName.map(store(named:)) ?? firstStore() }
        guard let storeName else {
            if let present = try stores.first(where: { try Self.holds($0, name) }) { return present }
            guard unreachable.isEmpty else { throw absence(of: name, in: nil, "; choose a store with --store") }
            return try firstStore()
        }
        let chosen = try store(named: storeName)
        for other in namedStores {
            if other.name == storeName {
                if try Self.holds(chosen, name) { break }
            } else if try Self.holds(other.store, name) {
                throw StoreError(
                    .exists,
                    "there is a secret named '\(name)' in store '\(other.name)' already; a name is in one store only")
            }
        }
        return chosen
    }

    /// A name that was not found: not there, or perhaps where nobody can look now.
    public func absence(of name: String, in storeName: String?, _ advice: String = "") -> any Error {
        guard storeName == nil, let away = unreachable.first else {
            return StoreError(
                .noSuchSecret, "no secret is named '\(name)'" + (storeName.map { " in store '\($0)'" } ?? ""))
        }
        return HomeError(
            .unreachable,
            "no secret is named '\(name)' in the stores at hand; it may be in another: \(away.line)\(advice)")
    }
}
