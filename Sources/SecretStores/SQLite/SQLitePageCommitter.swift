import Databases
import Files
import Glibc

/// Writes key pages back: compare-and-swap by slot, one transaction a batch, without a sync of its own. What a power
/// cut takes back, the old generation still opens.
final class SQLitePageCommitter: PageCommitter {
    private let writer: SQLiteWriter
    private let slotsPerPage: Int
    private let present: UnsafeMutableRawPointer
    private let pageLength: Int

    init(path: String, slotsPerPage: Int) throws {
        writer = try SQLiteWriter(path: path, durability: .normal, isJob: true, cacheKiB: 4096)
        self.slotsPerPage = slotsPerPage
        pageLength = slotsPerPage * Slot.length
        present = .allocate(byteCount: pageLength, alignment: 64)
    }

    deinit { present.deallocate() }

    func commit(
        _ batch: PageBatch, to mark: GenerationMark, job: String,
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
            var lostFromSource: [UInt32: Int] = [:]
            try swap(batch, database, &tally, &lostFromSource)
            try quarantine(batch, database, job: job, &tally)
            for source in batch.sources {
                let moved = source.count - (lostFromSource[source.generation] ?? 0)
                try statements.count(source.generation, -moved)
                try statements.count(mark.number, moved)
                tally.moved += moved
            }
            try JournalRows.write(journal(tally), database)
            return tally
        }
    }

    /// Replaces page by page; where a page is not what was read, slot by slot.
    private func swap(
        _ batch: PageBatch, _ database: Database, _ tally: inout CommitTally, _ lost: inout [UInt32: Int]
    ) throws {
        let window = BlobWindow(table: "key_page", column: "slots", database, path: writer.path)
        defer { window.close() }
        for index in 0..<batch.count where batch.changed[index] {
            let old = batch.old + index * pageLength
            let new = batch.new + index * pageLength
            guard let count = try window.move(to: batch.pages[index]), count == pageLength else {
                throw StoreError(.damaged, "\(writer.path): key page \(batch.pages[index]) is gone; run keyroll doctor")
            }
            try window.read(into: present, count: pageLength)
            if memcmp(present, old, pageLength) == 0 {
                try window.write(new, count: pageLength)
                continue
            }
            for offset in stride(from: 0, to: pageLength, by: Slot.length)
            where memcmp(old + offset, new + offset, Slot.length) != 0 {
                if memcmp(present + offset, old + offset, Slot.length) == 0 {
                    (present + offset).copyMemory(from: new + offset, byteCount: Slot.length)
                } else {
                    tally.superseded += 1
                    lost[Slot.generation(old + offset), default: 0] += 1
                }
            }
            try window.write(present, count: pageLength)
        }
    }

    /// Brings the quarantine up to date for the pages of the batch: what failed is on it, what was moved is not.
    private func quarantine(_ batch: PageBatch, _ database: Database, job: String, _ tally: inout CommitTally) throws {
        guard batch.count > 0 else { return }
        let slots = Int64(slotsPerPage)
        let range = batch.pages[0] * slots..<(batch.pages[batch.count - 1] + 1) * slots
        var failing: Set<Int64> = []
        if !batch.failures.isEmpty {
            let window = BlobWindow(table: "key_page", column: "slots", database, path: writer.path)
            defer { window.close() }
            for failure in batch.failures {
                let page = batch.pages[failure.index]
                guard try window.move(to: page) == pageLength else { continue }
                try window.read(into: present, count: pageLength)
                let offset = failure.slot * Slot.length
                guard memcmp(present + offset, batch.old + failure.index * pageLength + offset, Slot.length) == 0 else {
                    tally.superseded += 1
                    continue
                }
                tally.failed[failure.reason] += 1
                let id = page * slots + Int64(failure.slot)
                failing.insert(id)
                try QuarantineRows.add(
                    SlotPlace(page: page, slot: failure.slot), id: id, generation: failure.generation,
                    reason: failure.reason, job: job, at: Timestamp.now, database)
            }
        }
        try QuarantineRows.keep(only: failing, in: range, database)
    }
}
