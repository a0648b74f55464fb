import Databases
import Glibc

/// The bare limit of a re-encryption: one thread reads contents and writes as many other bytes over them and over their
/// slots, with no crypto. Each batch is a durable commit.
///
/// The connection, the batches' bytes and the checkpoints are the committer's, and as in ``BareLoop`` a batch is read in
/// the transaction that writes it.
final class BareContents {
    /// How a content is written.
    enum Form: String {
        /// `UPDATE … WHERE id = ?`
        case statement
        /// Incremental blob input and output: the row is not built anew.
        case blob
    }

    private static let slotLength = 44
    private static let recordsAtMost = 4096
    /// As the committer's checkpointer: 16 MiB of pages.
    private static let checkpointPages = 4096

    private struct Record {
        var id: Int64
        var body: Range<Int>
    }

    private let path: String
    private let batchBytes: Int
    private let connection: Connection
    private let slotsPerPage: Int64
    private var room: UnsafeMutableRawBufferPointer
    private let page: UnsafeMutableRawBufferPointer
    private var records: ContiguousArray<Record> = []

    /// - Parameters:
    ///   - path: a store's file, whose contents are worthless afterwards.
    ///   - batchBytes: a batch is full from so many bytes on.
    init(_ path: String, batchBytes: Int) throws {
        self.path = path
        self.batchBytes = batchBytes
        connection = try Connection(path: path, durability: .full, writeAheadLog: true, cacheKiB: 4096)
        slotsPerPage = try connection.access {
            try $0.execute("PRAGMA wal_autocheckpoint = \(Self.checkpointPages)")
            return try $0.integer("SELECT slots_per_page FROM store") ?? 91
        }
        room = .allocate(byteCount: 2 * batchBytes, alignment: 64)
        page = .allocate(byteCount: Int(slotsPerPage) * Self.slotLength, alignment: 64)
        records.reserveCapacity(Self.recordsAtMost)
    }

    deinit {
        room.deallocate()
        page.deallocate()
    }

    /// Overwrites every content and every slot once.
    ///
    /// - Returns: the number of contents.
    func run(_ form: Form) throws -> Int {
        try connection.access { database in
            let select = try RawStatement(
                "SELECT id, body FROM secret WHERE id > ?1 ORDER BY id", database, path: path)
            let begin = try RawStatement("BEGIN IMMEDIATE", database, path: path)
            let commit = try RawStatement("COMMIT", database, path: path)
            let update = try RawStatement("UPDATE secret SET body = ?2 WHERE id = ?1", database, path: path)
            let contents = BlobWindow(table: "secret", column: "body", database, path: path)
            let pages = BlobWindow(table: "key_page", column: "slots", database, path: path)
            var last: Int64 = 0
            var total = 0
            while true {
                try begin.run()
                try read(select, after: last)
                for record in records {
                    let body = UnsafeRawBufferPointer(rebasing: room[record.body])
                    switch form {
                    case .statement:
                        update.bind(1, record.id)
                        update.bind(2, blob: body)
                        try update.run()
                    case .blob:
                        guard let start = body.baseAddress, try contents.move(to: record.id) == body.count else {
                            throw BenchmarkHome.Wrong(what: "a content has another length")
                        }
                        try contents.write(start, count: body.count)
                    }
                }
                try writeSlots(pages)
                contents.close()
                pages.close()
                try commit.run()
                guard let end = records.last else { return total }
                last = end.id
                total += records.count
            }
        }
    }

    /// The next batch, every byte changed.
    private func read(_ select: RawStatement, after last: Int64) throws {
        defer { select.reset() }
        records.removeAll(keepingCapacity: true)
        select.bind(1, last)
        var used = 0
        while used < batchBytes, records.count < Self.recordsAtMost, try select.step() {
            let body = select.bytes(1)
            if used + body.count > room.count { grow(used + body.count, keeping: used) }
            for index in body.indices { room[used + index] = ~body[index] }
            records.append(Record(id: select.integer(0), body: used..<used + body.count))
            used += body.count
        }
    }

    private func writeSlots(_ window: BlobWindow) throws {
        guard let start = page.baseAddress else { return }
        var present: Int64 = 0
        for record in records {
            if record.id / slotsPerPage != present {
                if present != 0 { try window.write(start, count: page.count) }
                present = record.id / slotsPerPage
                guard try window.move(to: present) == page.count else {
                    throw BenchmarkHome.Wrong(what: "a key page is missing")
                }
                try window.read(into: start, count: page.count)
            }
            let slot = Int(record.id % slotsPerPage) * Self.slotLength
            for index in slot..<slot + Self.slotLength { page[index] = ~page[index] }
        }
        if present != 0 { try window.write(start, count: page.count) }
    }

    private func grow(_ count: Int, keeping used: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: room[..<used]))
        room.deallocate()
        room = larger
    }
}
