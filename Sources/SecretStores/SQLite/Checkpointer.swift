import CSQLite
import GRDB

/// Keeps the write-ahead log short: it copies the log's pages home once there are enough of them.
///
/// SQLite's own automatic checkpoint every 1,000 pages syncs too often for a job that writes a hundred mebibytes a
/// second; this one does it every ``softLimit`` pages, outside the writers' turn.
final class Checkpointer {
    /// 16 MiB of pages.
    static let softLimit: Int32 = 4096
    /// 48 MiB of pages: from here on it waits until readers have left, so that the log begins anew.
    static let hardLimit: Int32 = 12288

    private let pages: UnsafeMutablePointer<Int32>

    init(_ database: Database) {
        let counter = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        counter.initialize(to: 0)
        pages = counter
        sqlite3_wal_hook(
            database.sqliteConnection,
            { context, _, _, count in
                context!.assumingMemoryBound(to: Int32.self).pointee = count
                return SQLITE_OK
            }, counter)
    }

    deinit { pages.deallocate() }

    /// The log's length after this connection's last commit, in pages.
    var logLength: Int32 { pages.pointee }

    /// Call it outside a transaction.
    func run(_ database: Database, every limit: Int32 = softLimit) {
        guard pages.pointee >= limit else { return }
        let mode = pages.pointee >= Self.hardLimit ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE
        // A checkpoint that others keep from finishing is no failure: the next one goes on.
        sqlite3_wal_checkpoint_v2(database.sqliteConnection, nil, mode, nil, nil)
    }

    /// Copies everything home and empties the log, if no reader stands in the way: so that old wrapped keys do not
    /// linger in it.
    func empty(_ database: Database) {
        sqlite3_wal_checkpoint_v2(database.sqliteConnection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
    }

    /// Before the connection goes, whose hook points here.
    func detach(_ database: Database) { sqlite3_wal_hook(database.sqliteConnection, nil, nil) }
}
