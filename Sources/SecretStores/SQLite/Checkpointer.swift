import Databases
import CSQLite
import Glibc

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
            database.handle,
            { context, _, _, count in
                context!.assumingMemoryBound(to: Int32.self).pointee = count
                return SQLITE_OK
            }, counter)
    }

    deinit { pages.deallocate() }

    /// The log's length after this connection's last commit, in pages.
    var logLength: Int32 { pages.pointee }

    /// Call it outside a transaction.
    ///
    /// - Parameter isPatient: a job's: past the hard limit it waits for readers to leave, up to a second, without holding
    ///   anything that a writer needs meanwhile. A reader that stays longer lets the log grow; nothing else helps there.
    func run(_ database: Database, isPatient: Bool) {
        guard pages.pointee >= Self.softLimit else { return }
        // A checkpoint that others keep from finishing is no failure: the next one goes on.
        sqlite3_wal_checkpoint_v2(database.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        guard isPatient, pages.pointee >= Self.hardLimit else { return }
        withoutWaiting(database) {
            var tries = 100
            while sqlite3_wal_checkpoint_v2(database.handle, nil, SQLITE_CHECKPOINT_RESTART, nil, nil)
                == SQLITE_BUSY, tries > 0
            {
                usleep(10_000)
                tries -= 1
            }
        }
    }

    /// SQLite would wait for readers while it holds the write lock: here it gives up at once.
    private func withoutWaiting(_ database: Database, _ body: () -> Void) {
        sqlite3_busy_timeout(database.handle, 0)
        body()
        sqlite3_busy_timeout(database.handle, 10_000)
    }

    /// Copies everything home and empties the log, if no reader stands in the way: so that old wrapped keys do not
    /// linger in it.
    func empty(_ database: Database) {
        withoutWaiting(database) {
            _ = sqlite3_wal_checkpoint_v2(database.handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        }
    }

    /// Before the connection goes, whose hook points here.
    func detach(_ database: Database) { sqlite3_wal_hook(database.handle, nil, nil) }
}
