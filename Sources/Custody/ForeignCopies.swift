import Cryptography
public import Files
public import Home
public import KeyManagement
import SecretStores

/// Copies that others made: with other tools, by snapshots.
public enum ForeignCopies {
    /// Registers a copy of a store that can be looked at.
    ///
    /// - Parameters:
    ///   - home: the home.
    ///   - path: the copy; nothing in it is changed.
    ///   - moment: whose state it holds.
    ///   - keepUntil: until when it is kept; nil for ever.
    /// - Throws: `StoreError` where it is no store of this group.
    public static func register(
        _ home: Home, file path: String, at moment: Timestamp, keepUntil: Timestamp?
    ) throws -> RegisteredCopy {
        guard try PrivateFile.isThere(path) else { throw CustodyError(.missing, "\(path): no such file") }
        let (group, marks, census) = try StoreKinds.look(.init(path: path), home.layout)
        let ring = home.keeper.keyring.ring
        guard group == ring.group else {
            throw CustodyError(.doesNotBelong, "\(path): is the store of another group (\(group))")
        }
        try Home.check(path, marks, ring)
        return try add(
            home,
            RegisteredCopy(
                identity: Identity.random(), kind: "store", place: path, at: moment, keepUntil: keepUntil,
                secrets: census.counts, hasRootKey: false, keys: []))
    }

    /// Registers a snapshot of a store that cannot be looked at: it may hold secrets of every generation that had
    /// protected by then and was on line.
    ///
    /// - Parameters:
    ///   - home: the home.
    ///   - name: the store's name, or its file's path as `keyroll.yaml` has it.
    ///   - moment: when the snapshot was taken.
    ///   - keepUntil: until when it is kept; nil for ever.
    public static func register(
        _ home: Home, snapshotOf name: String, at moment: Timestamp, keepUntil: Timestamp?
    ) throws -> RegisteredCopy {
        guard home.configuration.stores.contains(where: { $0.name == name || $0.kind == .sqlite(path: name) }) else {
            throw CustodyError(
                .missing, "no store is named '\(name)'; keyroll.yaml has: \(home.configuration.storeNames)")
        }
        let ring = home.keeper.keyring.ring
        let possible = ring.generations.filter { generation in
            // Not when it became active: a ring that was built anew does not know.
            guard generation.created <= moment else { return false }
            return generation.archived.map { $0.at > moment } ?? true
        }
        // How many is not known; one is enough to need the generation.
        let counts = Dictionary(uniqueKeysWithValues: possible.map { ($0.number, Int64(1)) })
        return try add(
            home,
            RegisteredCopy(
                identity: Identity.random(), kind: "snapshot", place: name, at: moment, keepUntil: keepUntil,
                secrets: counts, hasRootKey: false, keys: []))
    }

    private static func add(_ home: Home, _ copy: RegisteredCopy) throws -> RegisteredCopy {
        try home.keeper.update { $0.register(copy) }
        return copy
    }
}
