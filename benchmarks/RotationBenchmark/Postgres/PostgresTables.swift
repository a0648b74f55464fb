import PostgreSQL

/// The schemas on the server that a run makes, and removes again.
final class PostgresTables {
    /// The store's schema.
    static let store = "keyroll_benchmark"
    private static let bare = "keyroll_benchmark_bare"
    private let session: Session

    /// - Throws: where one of them is there already: it may be somebody's.
    init(_ address: ServerAddress) throws {
        session = try Session(address)
        let found = try session.run(
            Statement("SELECT count(*) FROM pg_namespace WHERE nspname = $1 OR nspname = $2")
                .text(Self.store).text(Self.bare))
        guard found.integer(0, 0) == 0 else {
            throw BenchmarkHome.Wrong(
                what: "\(session.place): the schemas \(Self.store) and \(Self.bare) must not be there")
        }
    }

    func remove() throws {
        for schema in [Self.store, Self.bare] { try session.runAlone("DROP SCHEMA IF EXISTS \(schema) CASCADE") }
    }

    /// The store's own key pages in another table, as they lie.
    func copyOfPages(length: Int) throws -> PostgresBareLoop.Table {
        let name = "\(Self.bare).key_page"
        try session.runAlone("CREATE SCHEMA \(Self.bare)")
        try session.runAlone("CREATE TABLE \(name) (LIKE \(Self.store).key_page INCLUDING ALL) WITH (fillfactor = 50)")
        try session.runAlone("INSERT INTO \(name) SELECT * FROM \(Self.store).key_page ORDER BY page")
        return PostgresBareLoop.Table(name: name, key: "page", value: "slots", length: length, batch: 256)
    }

    /// What the store would be with one key a row. As many keys a transaction as 256 pages have.
    func rows(_ count: Int, slotsPerPage: Int) throws -> PostgresBareLoop.Table {
        let name = "\(Self.bare).key_row"
        try session.runAlone("CREATE TABLE \(name) (id int8 PRIMARY KEY, slot bytea NOT NULL) WITH (fillfactor = 50)")
        try session.runAlone(
            """
            INSERT INTO \(name) SELECT id, substring(sha512(int8send(id)) FOR 44) FROM generate_series(1, \(count)) id
            """)
        return PostgresBareLoop.Table(name: name, key: "id", value: "slot", length: 44, batch: 256 * slotsPerPage)
    }

    /// What a table that was filled a moment ago lacks: statistics, and marks of what is visible to all.
    func settle() throws {
        for name in ["\(Self.store).key_page", "\(Self.store).secret", "\(Self.bare).key_page", "\(Self.bare).key_row"]
        {
            try session.runAlone("VACUUM (ANALYZE) \(name)")
        }
    }

    /// What was written goes to the disk first, so that nobody pays for another's blocks. Each block that is then changed
    /// goes whole into the write-ahead log once: what a nightly job meets.
    func checkpoint() throws { try session.runAlone("CHECKPOINT") }

    /// Version and settings that the figures depend on.
    func settings() throws -> [String: String] {
        let rows = try session.run(
            """
            SELECT name, current_setting(name) FROM pg_settings WHERE name IN (
                'server_version', 'shared_buffers', 'max_wal_size', 'fsync', 'full_page_writes', 'wal_level',
                'autovacuum', 'wal_compression', 'data_checksums')
            """)
        return Dictionary(
            uniqueKeysWithValues: (0..<rows.count).map { (rows.text($0, 0) ?? "", rows.text($0, 1) ?? "") })
    }
}
