import PostgreSQL

/// Reads key pages: a statement a batch, never a snapshot that stays open across batches, which would keep the server
/// from clearing old versions away.
final class PostgreSQLPageReader: PageReader {
    private let store: PostgreSQLSecretStore
    private let session: Session
    private let select: Statement

    init(_ store: PostgreSQLSecretStore) throws {
        self.store = store
        session = try store.pool.take()
        select = Statement(
            """
            SELECT page, slots, xmin FROM \(store.schema.prefix)key_page WHERE page OPERATOR(pg_catalog.>) $1
            ORDER BY page LIMIT $2
            """)
    }

    deinit { store.pool.giveBack(session) }

    func read(into batch: PageBatch, after page: Int64) throws {
        select.reset()
        select.integer(page).integer(Int64(batch.pagesWanted))
        let rows = try store.translated { try session.runAlone(select) }
        for row in 0..<rows.count {
            let number = rows.integer(row, 0)
            let slots = try store.page(rows, row, 1, number: number)
            // The transaction that wrote this version: as long as it is the same, so are the bytes.
            batch.append(page: number, slots: slots.baseAddress!, stamp: rows.transaction(row, 2))
        }
    }

    func pageCount() throws -> Int64 {
        // Transactions that failed leave gaps; for progress and for ranges the last number will do.
        try store.translated {
            try session.run("SELECT coalesce(max(page), 0) FROM \(store.schema.prefix)key_page").integer(0, 0)
        }
    }
}
