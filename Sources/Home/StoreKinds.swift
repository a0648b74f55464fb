public import Cryptography
import Databases
import Files
import Glibc
import PostgreSQL
public import SecretStores

/// The kinds of secret stores: the one place that knows them all. A new kind is a case of
/// ``HomeConfiguration/Store/Kind`` and a line in each function here.
public enum StoreKinds {
    /// Opens a configured store.
    ///
    /// - Throws: `StoreError` with `otherGroup`, `newerFormat` or `damaged`, or what ``Home/isUnreachable(_:)`` knows.
    public static func open(
        _ store: HomeConfiguration.Store, _ layout: HomeLayout, group: Identity
    ) throws -> any SecretStore {
        switch store.kind {
        case .sqlite(let path): try SQLiteSecretStore.open(layout.resolve(path), group: group)
        case .postgres(let connection, let schema, let timeout):
            try PostgreSQLSecretStore.open(
                ServerAddress(connection, timeout: timeout), schema: schema, group: group)
        }
    }

    /// Makes an empty store.
    ///
    /// - Throws: `FileError` with `exists`, or what the kind's own way to fail is.
    public static func create(
        _ store: HomeConfiguration.Store, _ layout: HomeLayout, group: Identity
    ) throws -> any SecretStore {
        switch store.kind {
        case .sqlite(let path): try createFile(layout.resolve(path), group)
        case .postgres(let connection, let schema, let timeout):
            try PostgreSQLSecretStore.create(
                ServerAddress(connection, timeout: timeout), schema: schema, group: group)
        }
    }

    /// Whether something is there already, a store or anything else that one cannot be made over.
    public static func isThere(_ store: HomeConfiguration.Store, _ layout: HomeLayout) throws -> Bool {
        switch store.kind {
        case .sqlite(let path): try PrivateFile.isThere(layout.resolve(path))
        case .postgres(let connection, let schema, let timeout):
            try PostgreSQLSecretStore.isThere(ServerAddress(connection, timeout: timeout), schema: schema)
        }
    }

    /// Looks at a store whose group is not known yet, without changing anything.
    ///
    /// - Returns: its group, its marks, and its secrets by generation, counted slot by slot.
    public static func look(
        _ store: HomeConfiguration.Store, _ layout: HomeLayout
    ) throws -> (group: Identity, marks: StoreMarks, census: Census) {
        switch store.kind {
        case .sqlite(let path): try SQLiteSecretStore.look(layout.resolve(path))
        case .postgres(let connection, let schema, let timeout):
            try PostgreSQLSecretStore.look(ServerAddress(connection, timeout: timeout), schema: schema)
        }
    }

    /// Ends what creating began, where that leaves something open: a write-ahead log that would not be renamed along.
    static func settle(_ store: any SecretStore) throws { try (store as? SQLiteSecretStore)?.emptyLog() }

    /// Whether two are one and the same, however each is named.
    public static func isSame(_ one: any SecretStore, _ other: any SecretStore) -> Bool {
        if let one = one as? PostgreSQLSecretStore, let other = other as? PostgreSQLSecretStore {
            return one.number == other.number && one.group == other.group
        }
        var (first, second) = (stat(), stat())
        guard one is SQLiteSecretStore, other is SQLiteSecretStore, stat(one.place, &first) == 0,
            stat(other.place, &second) == 0
        else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// Where a configured store is, for messages: nothing secret is in it.
    public static func place(_ store: HomeConfiguration.Store, _ layout: HomeLayout) -> String {
        switch store.kind {
        case .sqlite(let path): layout.resolve(path)
        case .postgres(let connection, let schema, _): "\(connection), schema \(schema)"
        }
    }

    /// Made beside its place and then put there, so that a store is there whole or not at all.
    private static func createFile(_ path: String, _ group: Identity) throws -> any SecretStore {
        let draft = PrivateFile.temporaryName(beside: path)
        defer { for end in ["", "-wal", "-shm"] { unlink(draft + end) } }
        _ = try SQLiteSecretStore.create(draft, group: group)
        guard link(draft, path) == 0 else { throw FileError.current(path, "cannot create") }
        unlink(draft)
        try PrivateFile.syncDirectory(of: path)
        return try SQLiteSecretStore.open(path, group: group)
    }
}

extension Home {
    /// Whether an error that opening a store gave says that it is not there now: the others are then used without it.
    /// Everything else is a refusal, which stops what was asked for.
    public static func isUnreachable(_ error: any Error) -> Bool {
        switch error {
        case let error as FileError: error.code == .missing || error.code == .notPermitted
        case let error as DatabaseFailure: error.code == .missing || error.code == .notPermitted
        case let error as ServerFailure:
            [.unreachable, .missing, .readsOnly, .notPermitted, .unsafe].contains(error.code)
        case let error as HomeError: error.code == .unreachable
        default: false
        }
    }
}
