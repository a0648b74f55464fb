import Cryptography
import PostgreSQL

/// The bare limit on a PostgreSQL server: one connection overwrites rows, with no reading, no comparing and no crypto.
///
/// Batches, transactions and their commits are those of a rewrap: a batch goes out in one round trip as
/// `UPDATE … FROM unnest(…)` with binary arrays, and one durable commit ends it all. The numbers of the rows are given.
final class PostgresBareLoop {
    /// How the rows of a batch are found.
    enum Form: String, CaseIterable {
        /// As the server's planner decides.
        case planned
        /// Each through the index, as the store's own committer does it.
        case nested
    }

    /// What is updated.
    struct Table {
        /// With its schema.
        var name: String
        var key: String
        var value: String
        var length: Int
        /// Rows a transaction.
        var batch: Int
    }

    private let session: Session
    private let table: Table
    private let numbers: [Int64]
    private let update: Statement
    /// Two batches' values, which take turns: a row never gets the bytes it has, of which the server would log less.
    private let values: [UnsafeMutableRawBufferPointer]
    private var turn = 0

    init(_ address: ServerAddress, _ table: Table) throws {
        self.table = table
        session = try Session(address)
        let rows = try session.run("SELECT \(table.key) FROM \(table.name) ORDER BY 1")
        numbers = (0..<rows.count).map { rows.integer($0, 0) }
        update = Statement(
            """
            UPDATE \(table.name) t SET \(table.value) = u.value FROM unnest($1, $2) u (key, value)
            WHERE t.\(table.key) = u.key
            """, room: table.batch * (table.length + 32))
        values = try (0..<2).map { _ in
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: table.batch * table.length, alignment: 64)
            try Random.fillWithPublicBytes(room)
            return room
        }
    }

    deinit { for room in values { room.deallocate() } }

    /// Updates every row once, and makes one durable commit at the end.
    ///
    /// - Parameter isDurable: whether each batch's commit waits for the disk; a rewrap's do not.
    /// - Returns: the number of rows.
    func run(_ form: Form, isDurable: Bool = false) throws -> Int {
        let room = values[turn]
        turn = 1 - turn
        var total = 0
        let opening =
            [Statement("BEGIN"), setting("synchronous_commit", isDurable ? "on" : "off")]
            + (form == .planned
                ? [] : ["enable_hashjoin", "enable_mergejoin", "enable_seqscan"].map { setting($0, "off") })
        for first in stride(from: 0, to: numbers.count, by: table.batch) {
            let part = numbers[first..<min(first + table.batch, numbers.count)]
            update.reset()
            update.integers(part)
            update.array(.bytes, count: part.count) {
                for index in 0..<part.count {
                    update.element(
                        UnsafeRawBufferPointer(rebasing: room[index * table.length..<(index + 1) * table.length]))
                }
            }
            let done = try session.run(opening + [update, Statement("COMMIT")])
            total += done[done.count - 2].changed
        }
        // A transaction that has written something: its commit takes everything before it to the disk.
        try session.run([
            Statement("BEGIN"), setting("synchronous_commit", "on"),
            Statement("SELECT pg_logical_emit_message(true, 'bare', '')::text"),
            Statement("COMMIT"),
        ])
        return total
    }

    private func setting(_ name: String, _ value: String) -> Statement {
        Statement("SELECT set_config('\(name)', '\(value)', true)")
    }
}
