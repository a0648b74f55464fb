import CSQLite
import Files
import Synchronization

/// One connection to one SQLite file, opened the way keyroll opens all of them.
///
/// One thread at a time has it, inside ``access(_:)``. Hot loops take its raw handle (``RawStatement``).
public final class Connection: @unchecked Sendable {
    // @unchecked: the database is used under the lock, the path never changes.

    /// When a commit counts as done.
    public enum Durability: String, Sendable {
        /// After an fsync: what was committed survives a power cut.
        case full = "FULL"
        /// After the write: the database stays consistent, the last commits may be taken back by a power cut.
        case normal = "NORMAL"
        /// After an fsync of file and folder (for rollback journals, whose removal is the commit).
        case extra = "EXTRA"
    }

    /// The database's file.
    public let path: String
    private let database: Database
    private let lock = ThreadLock()

    /// - Parameters:
    ///   - path: an existing file; see ``create(_:)``.
    ///   - readOnly: refuse writes.
    ///   - durability: when a commit counts as done.
    ///   - writeAheadLog: WAL with readers beside the writer, or a rollback journal and one file that is complete.
    ///   - cacheKiB: the page cache.
    /// - Throws: ``DatabaseFailure``.
    public init(
        path: String, readOnly: Bool = false, durability: Durability, writeAheadLog: Bool, cacheKiB: Int = 2048
    ) throws {
        guard PrivateFile.exists(path) else {
            throw DatabaseFailure(.missing, path: path, "no such file")
        }
        self.path = path
        let database = try Database(path: path, readOnly: readOnly)
        // In this order: a connection that waits for the lock must do so for the change of journal as well.
        sqlite3_busy_timeout(database.handle, 10_000)
        if !readOnly {
            try database.execute("PRAGMA journal_mode = \(writeAheadLog ? "WAL" : "DELETE")")
        }
        try database.execute(
            """
            PRAGMA synchronous = \(durability.rawValue);
            PRAGMA cache_size = -\(cacheKiB);
            PRAGMA secure_delete = ON;
            PRAGMA trusted_schema = OFF;
            PRAGMA cell_size_check = ON;
            PRAGMA temp_store = MEMORY;
            PRAGMA wal_autocheckpoint = 0;
            """)
        // A file that is no database is found out here, and not by the first who uses it.
        try database.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        self.database = database
    }

    /// Makes an empty file with mode 0600 for a new database, so that it is private from its first instant.
    public static func create(_ path: String) throws { try PrivateFile.create(path) }

    /// Uses the connection; no transaction is begun.
    ///
    /// - Throws: ``DatabaseFailure``, and whatever `body` throws.
    public func access<R>(_ body: (Database) throws -> R) throws -> R {
        try lock.with { try body(database) }
    }

    /// Reads in one snapshot.
    public func read<R>(_ body: (Database) throws -> R) throws -> R {
        try access { database in try database.transacted("BEGIN", body) }
    }

    /// Writes in one transaction that takes the write lock at its start.
    public func write<R>(_ body: (Database) throws -> R) throws -> R {
        try access { database in try database.transacted("BEGIN IMMEDIATE", body) }
    }

    /// Closes it before the object goes, so that a failure can be seen.
    public func close() throws { try lock.with { try database.close() } }
}

extension Database {
    /// Runs `body` between `begin` and COMMIT, and rolls back when it throws.
    fileprivate func transacted<R>(_ begin: String, _ body: (Database) throws -> R) throws -> R {
        try execute(begin)
        do {
            let result = try body(self)
            try execute("COMMIT")
            return result
        } catch {
            // A failed COMMIT may have rolled back already; then there is nothing left to undo.
            if isInsideTransaction { try? execute("ROLLBACK") }
            throw error
        }
    }
}
