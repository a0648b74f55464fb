/// The tables of the embedded store.
///
/// - `store` — one row: format, group, slots a page, fence.
/// - `generation` — every generation that ever protected here.
/// - `key_page` — the wrapped data keys, apart from the contents, so that a rewrap rewrites 44 bytes a secret in
///   whole pages whatever the contents' size. A page with room is found through an index on `free`, a column that a
///   rewrap does not change.
/// - `secret` — the contents. A secret's `id` is its place: page × slots a page + slot. So a scan by `id` meets the
///   key pages in order, and no column is spent on it.
/// - `census` — secrets by generation, kept in the transactions that change it.
/// - `quarantine`, `journal` — see ``QuarantineEntry``, ``JournalRecord``.
enum SQLiteSchema {
    /// Newer files are refused.
    static let format = 1
    /// 91 slots of 44 bytes fill an SQLite page of 4 KiB; a row then lies on a page of its own without overflow.
    static let slotsPerPage = 91
    /// Larger numbers are refused, so that no arithmetic on places can overflow.
    static let maximumPage: Int64 = 1 << 40

    static let tables = """
        CREATE TABLE store (
            id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,
            group_identity BLOB NOT NULL, slots_per_page INTEGER NOT NULL, fence INTEGER NOT NULL) STRICT;
        CREATE TABLE generation (
            number INTEGER PRIMARY KEY, identity BLOB NOT NULL, check_value BLOB NOT NULL) STRICT;
        CREATE TABLE key_page (
            page INTEGER PRIMARY KEY CHECK (page BETWEEN 1 AND \(maximumPage)), free INTEGER NOT NULL,
            slots BLOB NOT NULL) STRICT;
        CREATE INDEX key_page_with_room ON key_page (page) WHERE free > 0;
        CREATE TABLE secret (
            id INTEGER PRIMARY KEY CHECK (id >= \(slotsPerPage)), name TEXT NOT NULL, birth INTEGER NOT NULL,
            context BLOB, body BLOB NOT NULL) STRICT;
        CREATE UNIQUE INDEX secret_by_name ON secret (name);
        CREATE TABLE census (generation INTEGER PRIMARY KEY, live INTEGER NOT NULL) STRICT;
        CREATE TABLE quarantine (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, generation INTEGER NOT NULL,
            reason TEXT NOT NULL, job TEXT NOT NULL, first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL, accepted TEXT) STRICT;
        CREATE TABLE journal (
            number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL UNIQUE, content BLOB NOT NULL,
            mac BLOB NOT NULL, finished INTEGER NOT NULL) STRICT;
        """
}
