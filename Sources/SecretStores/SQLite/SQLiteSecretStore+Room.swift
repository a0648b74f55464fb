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
        var log = LogLength(pageSize: pageSize)
        switch rewrite {
        case .slots(let count): log.add(pages: min(count, keyPages), aCommit: LogLength.pagesInABatch)
        case .contents(let count):
            let share = total > 0 ? min(1, Double(count) / Double(total)) : 0
            // Key pages lie between those of contents and are written by more than one commit.
            log.add(pages: Int64((Double(pages) * share * 1.03).rounded(.up)), aCommit: 2 * LogLength.pagesInABatch)
        }
        var status = stat()
        let present = stat(place + "-wal", &status) == 0 ? Int64(status.st_size) : 0
        return RoomNeed(path: place, bytes: max(0, log.bytes - present))
    }
}

/// The length of a write-ahead log after so many pages, which begins anew where it was copied home.
struct LogLength {
    /// 1 MiB: what a rewrap commits at once at most.
    static let pagesInABatch: Int64 = 256
    /// Counters, journal and quarantine go along with each commit.
    private static let besideEachCommit: Int64 = 3
    /// What the log says of each page beside the page.
    private static let frameHeader: Int64 = 24

    private let pageSize: Int64
    private var frames: Int64 = 0

    init(pageSize: Int64) { self.pageSize = pageSize }

    mutating func add(pages: Int64, aCommit: Int64) {
        let commits = (pages + aCommit - 1) / aCommit
        let all = pages + commits * Self.besideEachCommit
        // The commit that reaches the limit is still in it.
        let limit = Int64(Checkpointer.softLimit) + aCommit
        frames += min(all, limit)
    }

    var bytes: Int64 { frames * (pageSize + Self.frameHeader) }
}
