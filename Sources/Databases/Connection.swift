import Files
public import GRDB

/// One connection to one SQLite file, opened the way keyroll opens all of them.
///
/// GRDB owns the handle and serialises its use; hot loops take its raw handle (``RawStatement``).
public final class Connection: @unchecked Sendable {
    // @unchecked: DatabaseQueue is safe to share, the path never changes.

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
    private let queue: DatabaseQueue

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
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.foreignKeysEnabled = false
        configuration.label = "keyroll"
        // In this order: a connection that waits for the lock must do so for the change of journal as well.
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { database in
            if !readOnly {
                try database.execute(sql: "PRAGMA journal_mode = \(writeAheadLog ? "WAL" : "DELETE")")
            }
            try database.execute(
                sql: """
                    PRAGMA synchronous = \(durability.rawValue);
                    PRAGMA cache_size = -\(cacheKiB);
                    PRAGMA secure_delete = ON;
                    PRAGMA trusted_schema = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA wal_autocheckpoint = 0;
                    """)
        }
        self.path = path
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
        } catch let error as DatabaseError { throw DatabaseFailure(error, path: path) }
    }

    /// Makes an empty file with mode 0600 for a new database, so that it is private from its first instant.
    public static func create(_ path: String) throws { try PrivateFile.create(path) }

    /// Uses the connection; no transaction is begun.
    ///
    /// - Throws: ``DatabaseFailure`` for what GRDB reports, and whatever `body` throws.
    public func access<R>(_ body: (Database) throws -> R) throws -> R {
        do { return try queue.inDatabase(body) } catch let error as DatabaseError {
            throw DatabaseFailure(error, path: path)
        }
    }

    /// Reads in one snapshot.
    public func read<R>(_ body: (Database) throws -> R) throws -> R {
        try access { database in try database.transacted("BEGIN", body) }
    }

    /// Writes in one transaction that takes the write lock at its start.
    public func write<R>(_ body: (Database) throws -> R) throws -> R {
        try access { database in try database.transacted("BEGIN IMMEDIATE", body) }
    }

    /// Brings the schema to its newest version.
    public func migrate(_ migrator: DatabaseMigrator) throws {
        do { try migrator.migrate(queue) } catch let error as DatabaseError {
            throw DatabaseFailure(error, path: path)
        }
    }

    /// Closes it before the object goes, so that a failure can be seen.
    public func close() throws {
        do { try queue.close() } catch let error as DatabaseError { throw DatabaseFailure(error, path: path) }
    }
}

extension Database {
    /// Runs `body` between `begin` and COMMIT, and rolls back when it throws.
    fileprivate func transacted<R>(_ begin: String, _ body: (Database) throws -> R) throws -> R {
        try execute(sql: begin)
        do {
            let result = try body(self)
            try execute(sql: "COMMIT")
            return result
        } catch {
            // A failed COMMIT may have rolled back already; then there is nothing left to undo.
            if isInsideTransaction { try? execute(sql: "ROLLBACK") }
            throw error
        }
    }
}
