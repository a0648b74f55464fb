import Custody
import Home
import KeyManagement
import Protection
import SecretStores

/// What has to hold before a store becomes one of a home's.
enum StoreEntry {
    /// The generation that protects, which is to stand in the fence of a new store.
    ///
    /// - Throws: `CustodyError` with `refused` in a home that only reads.
    static func active(_ home: Home) throws -> GenerationMark {
        guard let active = home.keeper.keyring.ring.active, !home.keeper.keyring.ring.onlyReads else {
            throw CustodyError(.refused, "no generation is active in this home, so that no store can be added")
        }
        return GenerationMark(active)
    }

    /// Refuses a name that is none or is taken, and a place that another store of the home has.
    static func check(_ entry: HomeConfiguration.Store, _ home: Home) throws {
        guard StoreNames.isName(entry.name) else { throw CustodyError(.usage, StoreNames.rule(entry.name)) }
        guard home.configuration.store(named: entry.name) == nil else {
            throw CustodyError(.exists, "a store is named '\(entry.name)' already; see: keyroll store list")
        }
        let place = place(entry, home)
        if let other = home.configuration.stores.first(where: { self.place($0, home) == place }) {
            throw CustodyError(.exists, "\(place) is the store '\(other.name)' already; see: keyroll store list")
        }
    }

    /// Where a store is; a file's place with links resolved.
    private static func place(_ entry: HomeConfiguration.Store, _ home: Home) -> String {
        let place = StoreKinds.place(entry, home.layout)
        guard case .sqlite = entry.kind else { return place }
        return HomeLayout.absolute(place)
    }

    /// Opens what is there, and refuses a store of another group or ring; nil where nothing is there.
    static func present(_ entry: HomeConfiguration.Store, _ home: Home) throws -> (any SecretStore)? {
        guard try StoreKinds.isThere(entry, home.layout) else { return nil }
        let store = try StoreKinds.open(entry, home.layout, group: home.keeper.keyring.ring.group)
        try Home.check(store, home.keeper.keyring.ring)
        if let other = home.namedStores.first(where: { StoreKinds.isSame($0.store, store) }) {
            throw CustodyError(
                .exists, "\(store.place) is the store '\(other.name)' already; see: keyroll store list")
        }
        return store
    }
}
