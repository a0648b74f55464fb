import Home
import SecretStores

/// Does something with one store after the other, and goes on without those that go away meanwhile.
struct StoreRound {
    /// The home with the stores that are still there.
    private(set) var home: Home

    init(_ home: Home) { self.home = home }

    /// - Throws: what `body` throws, unless that says that its store is not there any more and another one is.
    mutating func each(_ body: (any SecretStore) throws -> Void) throws {
        for (name, store) in home.namedStores {
            do { try body(store) } catch  where Home.isUnreachable(error) && home.stores.count > 1 {
                home = home.without(name, because: error)
            }
        }
    }
}
