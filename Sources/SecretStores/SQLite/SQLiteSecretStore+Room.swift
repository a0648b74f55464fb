import Databases
public import Files
import Glibc

/// How long the write-ahead log of a job gets: the file itself does not grow where pages are written anew.
extension SQLiteSecretStore {
    /// As ``SecretStore`` says.
    public func roomNeeded(toRewrite rewrite: Rewrite) throws -> RoomNeed? {
        let (total, keyPages, pages, pageSize) = try read { database in
            (
                try census(database).total, try database.integer("SELECT max(page) FROM key_page") ?? 0,
                try database.integer("PRAGMA page_count") ?? 0, try database.integer("PRAGMA page_size") ?? 4096
            )
        }
        let frames: Int64
        switch rewrite {
        case .slots(let count):
            frames = LogLength.frames(pages: min(count, keyPages), aCommit: LogLength.pagesInABatch)
        case .contents(let count):
            let share = total > 0 ? min(1, Double(count) / Double(total)) : 0
            // Key pages lie between those of contents and are written by more than one commit.
            frames = LogLength.frames(
                pages: Int64((Double(pages) * share * 1.03).rounded(.up)), aCommit: 2 * LogLength.pagesInABatch)
        }
        var status = stat()
        let present = stat(place + "-wal", &status) == 0 ? Int64(status.st_size) : 0
        return RoomNeed(path: place, bytes: max(0, frames * (pageSize + LogLength.frameHeader) - present))
    }
}

/// The length of a write-ahead log after so many pages, which begins anew where it was copied home.
enum LogLength {
    /// 1 MiB: what a rewrap commits at once at most.
    static let pagesInABatch: Int64 = 256
    /// What the log says of each page beside the page, in bytes.
    static let frameHeader: Int64 = 24
    /// Counters, journal and quarantine go along with each commit.
    private static let besideEachCommit: Int64 = 3

    static func frames(pages: Int64, aCommit: Int64) -> Int64 {
        let commits = (pages + aCommit - 1) / aCommit
        // The commit that reaches the limit is still in it.
        return min(pages + commits * besideEachCommit, Int64(Checkpointer.softLimit) + aCommit)
    }
}
