import Databases
import Files
import Glibc

/// Writes contents and slots back under new data keys: compare-and-swap by slot, one durable transaction a batch.
final class SQLiteContentCommitter: ContentCommitter {
    private let writer: SQLiteWriter
    private let slotsPerPage: Int64
    private let pageLength: Int
    private let present: UnsafeMutableRawPointer
    private var update: RawStatement?
    private var makeRoom: RawStatement?

    init(path: String, slotsPerPage: Int) throws {
        let writer = try SQLiteWriter(path: path, durability: .full, isJob: true, cacheKiB: 4096)
        self.writer = writer
        self.slotsPerPage = Int64(slotsPerPage)
        pageLength = slotsPerPage * Slot.length
        present = .allocate(byteCount: pageLength, alignment: 64)
        (update, makeRoom) = try writer.connection.access {
            (
                try RawStatement("UPDATE secret SET birth = ?2, body = ?3 WHERE id = ?1", $0, path: path),
                try RawStatement("UPDATE secret SET birth = ?2, body = zeroblob(?3) WHERE id = ?1", $0, path: path)
            )
        }
    }

    deinit {
        try? writer.connection.access { _ in
            update = nil
            makeRoom = nil
        }
        present.deallocate()
    }

    func commit(
        _ batch: ContentBatch, to mark: GenerationMark, job: String,
        journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally {
        try writer.transaction { database, statements in
            let fence = try statements.presentFence()
            guard fence == mark.number else {
                throw StoreError(
                    .fenced(fence: fence),
                    "\(writer.path): the fence stands at generation \(fence), not at \(mark.number): another rotation came in between"
                )
            }
            var tally = CommitTally()
            var counts: [UInt32: Int] = [:]
            let window = BlobWindow(table: "key_page", column: "slots", database, path: writer.path)
            try swap(batch, window, mark, &tally, &counts, database)
            try quarantine(batch, window, job: job, &tally, database)
            window.close()
            for (generation, change) in counts { try statements.count(generation, change) }
            try JournalRows.write(journal(tally), database)
            return tally
        }
    }

    /// Records come in the order of their places: each page is read and written once.
    private func swap(
        _ batch: ContentBatch, _ window: BlobWindow, _ mark: GenerationMark, _ tally: inout CommitTally,
        _ counts: inout [UInt32: Int], _ database: Database
    ) throws {
        // Nearly always nothing is on the list, and then it is not looked at for each secret.
        let hasQuarantine = try database.integer("SELECT EXISTS (SELECT 1 FROM quarantine)") != 0
        let (records, base, newSlots) = (batch.records, batch.base, batch.newSlots)
        var page: Int64 = 0
        // Counted by runs of one generation: nearly always a batch is one.
        var (before, moved) = (UInt32(0), 0)
        for renewal in batch.renewals {
            let record = records[renewal.index]
            if record.place.page != page {
                if page != 0 { try window.write(present, count: pageLength) }
                page = record.place.page
                guard try load(page, window) else {
                    throw StoreError(.damaged, "\(writer.path): key page \(page) is gone; run keyroll doctor")
                }
            }
            let slot = present + record.place.slot * Slot.length
            guard memcmp(slot, base + record.slot, Slot.length) == 0 else {
                tally.superseded += 1
                continue
            }
            let id = page * slotsPerPage + Int64(record.place.slot)
            try replace(id, mark, batch.bytes(record.body), isOutsized: batch.isOutsized, database)
            let generation = Slot.generation(slot)
            if generation != before {
                counts[before, default: 0] -= moved
                (before, moved) = (generation, 0)
            }
            moved += 1
            slot.copyMemory(from: newSlots + renewal.slot, byteCount: Slot.length)
            tally.moved += 1
            if hasQuarantine {
                try database.execute("DELETE FROM quarantine WHERE id = ?", [id])
            }
        }
        if page != 0 { try window.write(present, count: pageLength) }
        counts[before, default: 0] -= moved
        counts[mark.number, default: 0] += tally.moved
    }

    private var lostContent: StoreError {
        StoreError(.damaged, "\(writer.path): a content is gone and its slot is not; run keyroll doctor")
    }

    /// SQLite builds a row in memory beside what is bound to it; of an outsized one it gets only the length, and then
    /// the bytes, which it writes where they belong.
    private func replace(
        _ id: Int64, _ mark: GenerationMark, _ body: UnsafeRawBufferPointer, isOutsized: Bool, _ database: Database
    ) throws {
        guard let statement = isOutsized ? makeRoom : update else { return }
        statement.bind(1, id)
        statement.bind(2, Int64(mark.number))
        if isOutsized { statement.bind(3, Int64(body.count)) } else { statement.bind(3, blob: body) }
        guard try statement.run() == 1 else { throw lostContent }
        guard isOutsized else { return }
        let window = BlobWindow(table: "secret", column: "body", database, path: writer.path)
        defer { window.close() }
        guard try window.move(to: id) == body.count, let bytes = body.baseAddress else { throw lostContent }
        try window.write(bytes, count: body.count)
    }

    private func quarantine(
        _ batch: ContentBatch, _ window: BlobWindow, job: String, _ tally: inout CommitTally, _ database: Database
    ) throws {
        for failure in batch.failures {
            if let index = failure.index {
                guard try load(failure.place.page, window) else { continue }
                let slot = present + failure.place.slot * Slot.length
                guard memcmp(slot, batch.base + batch.records[index].slot, Slot.length) == 0 else {
                    tally.superseded += 1
                    continue
                }
            }
            tally.failed[failure.reason] += 1
            try QuarantineRows.add(
                failure.place, id: failure.place.page * slotsPerPage + Int64(failure.place.slot),
                generation: failure.generation, reason: failure.reason, job: job, at: Timestamp.now, database)
        }
    }

    private func load(_ page: Int64, _ window: BlobWindow) throws -> Bool {
        guard try window.move(to: page) == pageLength else { return false }
        try window.read(into: present, count: pageLength)
        return true
    }
}
