import Cryptography
import Databases
import Glibc

/// The bare limit: one thread reads records and updates them by compare-and-swap, with no crypto.
///
/// The connection, the batches and the checkpoints are the committer's. Everything else is as fast as it can be had:
/// batches are read in the transaction that writes them, so that the update finds its page in the cache.
final class BareLoop {
    /// How a record is written.
    enum Form: String, CaseIterable {
        /// `UPDATE … WHERE id = ? AND value = ?`
        case statement
        /// Incremental blob input and output, as the committer does it: read, compare, overwrite in place.
        case blob
    }

    /// What is updated.
    struct Table {
        var path: String
        var name: String
        var key: String
        var value: String
        var length: Int
        /// Records a transaction.
        var batch: Int
    }

    /// As the committer's checkpointer: 16 MiB of pages.
    private static let checkpointPages = 4096

    private let table: Table
    private let connection: Connection
    private let barrier: Connection
    private let ids: UnsafeMutablePointer<Int64>
    private let old: UnsafeMutableRawPointer
    private let new: UnsafeMutableRawPointer
    private let present: UnsafeMutableRawPointer

    init(_ table: Table) throws {
        self.table = table
        connection = try Connection(path: table.path, durability: .normal, writeAheadLog: true, cacheKiB: 4096)
        barrier = try Connection(path: table.path, durability: .full, writeAheadLog: true)
        try connection.access { try $0.execute("PRAGMA wal_autocheckpoint = \(Self.checkpointPages)") }
        ids = .allocate(capacity: table.batch)
        old = .allocate(byteCount: table.batch * table.length, alignment: 64)
        new = .allocate(byteCount: table.batch * table.length, alignment: 64)
        present = .allocate(byteCount: table.length, alignment: 64)
    }

    deinit {
        ids.deallocate()
        old.deallocate()
        new.deallocate()
        present.deallocate()
    }

    /// Updates every record once, and makes one full commit at the end.
    ///
    /// - Returns: the number of records.
    func run(_ form: Form) throws -> Int {
        let total = try connection.access { database in
            let select = try RawStatement(
                "SELECT \(table.key), \(table.value) FROM \(table.name) WHERE \(table.key) > ?1 ORDER BY \(table.key) LIMIT ?2",
                database, path: table.path)
            let begin = try RawStatement("BEGIN IMMEDIATE", database, path: table.path)
            let commit = try RawStatement("COMMIT", database, path: table.path)
            let update = try update(form, database)
            var last: Int64 = 0
            var total = 0
            while true {
                try begin.run()
                let count = try read(select, after: last)
                flip(count * table.length)
                if count > 0 { try update(count) }
                try commit.run()
                guard count > 0 else { return total }
                last = ids[count - 1]
                total += count
            }
        }
        try barrier.write { try $0.execute("PRAGMA user_version = \(Int.random(in: 1...1_000_000))") }
        return total
    }

    private func read(_ select: RawStatement, after last: Int64) throws -> Int {
        defer { select.reset() }
        select.bind(1, last)
        select.bind(2, Int64(table.batch))
        var count = 0
        while try select.step() {
            let bytes = select.bytes(1)
            guard bytes.count == table.length else { throw BenchmarkHome.Wrong(what: "a record has another length") }
            ids[count] = select.integer(0)
            (old + count * table.length).copyMemory(from: bytes.baseAddress!, byteCount: table.length)
            count += 1
        }
        return count
    }

    /// New bytes that differ from the old ones everywhere; a length is a multiple of 4.
    private func flip(_ length: Int) {
        let source = old.assumingMemoryBound(to: UInt32.self)
        let target = new.assumingMemoryBound(to: UInt32.self)
        for word in 0..<(length / 4) { target[word] = source[word] ^ 0x5A5A_5A5A }
    }

    private func update(_ form: Form, _ database: Database) throws -> (Int) throws -> Void {
        let length = table.length
        let lost = BenchmarkHome.Wrong(what: "a record was changed by somebody else")
        switch form {
        case .statement:
            let statement = try RawStatement(
                "UPDATE \(table.name) SET \(table.value) = ?1 WHERE \(table.key) = ?2 AND \(table.value) = ?3",
                database,
                path: table.path)
            return { [ids, old, new] count in
                for index in 0..<count {
                    statement.bind(1, blob: UnsafeRawBufferPointer(start: new + index * length, count: length))
                    statement.bind(2, ids[index])
                    statement.bind(3, blob: UnsafeRawBufferPointer(start: old + index * length, count: length))
                    guard try statement.run() == 1 else { throw lost }
                }
            }
        case .blob:
            let window = BlobWindow(table: table.name, column: table.value, database, path: table.path)
            return { [ids, old, new, present] count in
                defer { window.close() }
                for index in 0..<count {
                    guard try window.move(to: ids[index]) == length else { throw lost }
                    try window.read(into: present, count: length)
                    guard memcmp(present, old + index * length, length) == 0 else { throw lost }
                    try window.write(new + index * length, count: length)
                }
            }
        }
    }
}

extension BareLoop.Table {
    /// The store's own key pages, in a copy of its file; batches as the rewrap cuts them.
    static func pages(in path: String, slotsPerPage: Int) -> Self {
        Self(path: path, name: "key_page", key: "page", value: "slots", length: slotsPerPage * 44, batch: 256)
    }

    /// What the store would be with one key a row: a number and 44 bytes. As many keys a transaction as 256 pages.
    static func rows(in path: String, count: Int, slotsPerPage: Int) throws -> Self {
        try Connection.create(path)
        let connection = try Connection(path: path, durability: .normal, writeAheadLog: true)
        try connection.write { database in
            try database.execute("CREATE TABLE key_row (id INTEGER PRIMARY KEY, slot BLOB NOT NULL)")
            let insert = try RawStatement("INSERT INTO key_row VALUES (?1, randomblob(44))", database, path: path)
            for id in 1...Int64(count) {
                insert.bind(1, id)
                try insert.run()
            }
        }
        try connection.access { try $0.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
        return Self(path: path, name: "key_row", key: "id", value: "slot", length: 44, batch: 256 * slotsPerPage)
    }
}

extension BareLoop {
    func sqliteVersion() throws -> String {
        try connection.access { try $0.text("SELECT sqlite_version()") } ?? "unknown"
    }
}
