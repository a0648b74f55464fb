import Databases

/// Reads key pages: a short transaction a batch, never a cursor that stays open across batches, which would pin the
/// write-ahead log.
final class SQLitePageReader: PageReader {
    private let connection: Connection
    private let path: String
    private var select: RawStatement?

    init(path: String) throws {
        self.path = path
        let connection = try Connection(path: path, durability: .normal, writeAheadLog: true, cacheKiB: 1024)
        self.connection = connection
        select = try connection.access {
            try RawStatement("SELECT page, slots FROM key_page WHERE page > ?1 ORDER BY page LIMIT ?2", $0, path: path)
        }
    }

    deinit { try? connection.access { _ in select = nil } }

    func read(into batch: PageBatch, after page: Int64) throws {
        guard let select else { return }
        try connection.access { _ in
            defer { select.reset() }
            select.bind(1, page)
            select.bind(2, Int64(batch.pagesWanted))
            while try select.step() {
                let slots = select.bytes(1)
                guard slots.count == batch.pageLength, (1...SQLiteSchema.maximumPage).contains(select.integer(0)) else {
                    throw StoreError(
                        .damaged, "\(path): key page \(select.integer(0)) has \(slots.count) bytes; run keyroll doctor")
                }
                batch.append(page: select.integer(0), slots: slots.baseAddress!)
            }
        }
    }

    func pageCount() throws -> Int64 {
        // Pages are numbered without gaps and never deleted, so that the last number is their count.
        try connection.access { try $0.integer("SELECT max(page) FROM key_page") ?? 0 }
    }
}
