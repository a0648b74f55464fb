import Files
import KeyManagement
import PostgreSQL
import TestServers

/// A database with the tables for one group's ring, its roles, and a root key.
///
/// Roles are the whole server's, so that every group has a name of its own.
final class RingDatabase: TestedRing {
    let database: Database
    let group: String
    let ring: RingPlace
    let folder: TemporaryFolder
    /// A role that is an owner; it is no superuser and owns nothing else.
    let owner: String

    static let tables = ["ring", "ring_copy"]

    /// - Parameters:
    ///   - prefix: begins the group's name.
    ///   - other: lie in the same database as another one, and the same schema.
    init(_ prefix: String = "of_", beside other: RingDatabase? = nil, prepared: Bool = true) throws {
        let database = try other?.database ?? PostgresServer.shared.database()
        group = prefix + database.name
        owner = "\(group.lowercased())_login".replacing(" ", with: "_")
        ring = try RingPlace(group: group)
        self.database = database
        folder = try TemporaryFolder()
        try provider.create()
        try database.server.role(owner)
        if prepared { try database.run(PostgreSQLKeyRepository.script(ring, owner: owner)) }
    }

    var provider: KeyFileProvider { KeyFileProvider(path: folder.path + "/root.key") }
    var keyRepository: any KeyRepository { repository() }
    var places: [String] { Self.tables.map { "\(repository().place).\($0)" } }

    /// As a role; as the owner by default.
    func repository(as role: String? = nil) -> PostgreSQLKeyRepository {
        repository(database.connection(as: role ?? owner))
    }

    func repository(_ connection: String) -> PostgreSQLKeyRepository {
        guard let address = try? ServerAddress(connection, timeout: 20) else {
            preconditionFailure("the tests' own connection cannot be parsed: \(connection)")
        }
        return PostgreSQLKeyRepository(address, ring)
    }

    func open(as role: String) throws -> RingKeeper { try RingKeeper.open(repository(as: role), provider: provider) }

    /// A login that is a member of some roles.
    func login(_ name: String, _ roles: String...) throws -> String {
        let login = "\(owner)_\(name)"
        try database.server.role(login)
        for role in roles { try database.run("GRANT \(PostgresServer.identifier(role)) TO \(login)") }
        return login
    }

    func rows() throws -> [[[String?]]] {
        try Self.tables.map { table in
            try database.run("SELECT * FROM keyroll_ring.\(table) WHERE group_name = '\(group)'")
        }
    }

    /// As a superuser by hand, behind the triggers.
    func edit(_ copy: Int, _ change: String) throws {
        try database.run(
            """
            SET session_replication_role = replica;
            UPDATE keyroll_ring.\(Self.tables[copy]) SET \(change) WHERE group_name = '\(group)';
            """)
    }

    func lose(_ copy: Int) throws {
        try database.run(
            """
            SET session_replication_role = replica;
            DELETE FROM keyroll_ring.\(Self.tables[copy]) WHERE group_name = '\(group)';
            """)
    }

    /// What lies aside: reason and copy.
    func aside() throws -> [[String?]] {
        try database.run("SELECT reason, copy FROM keyroll_ring.ring_aside WHERE group_name = '\(group)' ORDER BY id")
    }
}

/// What the server said, or what keyroll made of it.
func failure(of body: () throws -> Void) -> ServerFailure? {
    do { try body() } catch { return error as? ServerFailure }
    return nil
}

/// The SQLSTATE with which the server refuses statements by hand; nil where it does them.
func state(_ sql: String, _ database: Database, as role: String) -> String? {
    do {
        try ServerAddress(database.connection(as: role)).run(sql)
    } catch { return (error as? ServerFailure)?.state ?? "\(error)" }
    return nil
}

extension ServerAddress {
    /// Runs one statement in a transaction and on a connection of its own.
    @discardableResult
    func run(_ sql: String) throws -> Rows {
        try Session(self).run([Statement("BEGIN READ WRITE"), Statement(sql), Statement("COMMIT")])[1]
    }
}
