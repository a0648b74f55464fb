public import KeyManagement
import PostgreSQL

/// The kinds of key repositories: the one place that knows them all. A new kind is a case of
/// ``HomeConfiguration/Repository`` and a line in each function here.
public enum RepositoryKinds {
    /// The repository of a home; nothing is connected or looked at yet.
    ///
    /// - Throws: `ServerFailure` with `configuration`.
    public static func open(_ configuration: HomeConfiguration, _ layout: HomeLayout) throws -> any KeyRepository {
        try server(configuration) ?? files(layout)
    }

    /// The files of a home that keeps its ring itself.
    public static func files(_ layout: HomeLayout) -> SQLiteKeyRepository {
        SQLiteKeyRepository(path: layout.keys, copy: layout.keysCopy)
    }

    /// The repository on a server, or nil where the ring is in the home's files.
    public static func server(_ configuration: HomeConfiguration) throws -> PostgreSQLKeyRepository? {
        guard case .postgres(let connection, let schema, let timeout) = configuration.repository else { return nil }
        return PostgreSQLKeyRepository(
            try ServerAddress(connection, timeout: timeout),
            try RingPlace(group: configuration.group, schema: schema))
    }

    /// What a server's administrator may run before `keyroll init`, so that whoever runs that needs no right to make
    /// roles.
    ///
    /// - Returns: SQL; nil for a repository that is on no server.
    public static func script(_ configuration: HomeConfiguration) throws -> String? {
        guard case .postgres(let connection, let schema, _) = configuration.repository else { return nil }
        let login = connection.isEmpty ? nil : try ServerAddress(connection).login
        return try PostgreSQLKeyRepository.script(RingPlace(group: configuration.group, schema: schema), owner: login)
    }
}

/// A ring that is made together with its home: in files, it moves with the draft's folder; on a server, it is made in
/// memory and put there in one commit, at the end.
struct RingDraft {
    let repository: any KeyRepository
    private let server: PostgreSQLKeyRepository?

    /// Refuses what would fail at the end.
    ///
    /// - Throws: `KeyManagementError` with `exists`; `ServerFailure` with `notPermitted`.
    init(_ configuration: HomeConfiguration, _ draft: HomeLayout) throws {
        server = try RepositoryKinds.server(configuration)
        try server?.prepare()
        repository = server == nil ? RepositoryKinds.files(draft) : MemoryKeyRepository()
    }

    private var made: StoredRing? { (repository as? MemoryKeyRepository)?.ring }

    /// Puts the ring where it belongs.
    func publish() throws {
        if let server, let made { try server.commit(made, replacing: nil) }
    }

    /// Takes it away again, since the home did not get its name; also where nobody knows whether it was put there.
    ///
    /// - Returns: what to throw.
    func takenBack(after error: any Error) -> any Error {
        guard let server, let made else { return error }
        do {
            try server.remove(made)
            return error
        } catch let second {
            return HomeError(
                .unreachable,
                "\(error); and whether the new ring was removed from the server is not known (\(second)): if it is there, an owner deletes it from \(server.ring.schema).ring and ring_copy before the next try"
            )
        }
    }
}
