import Files
import Glibc
import PostgreSQL

/// Writes key pages back, one transaction a batch, and normally one round trip: the server itself compares each page's
/// version with the one that was read. Where one is another, or slots have failed, the pages are locked and compared
/// slot by slot.
final class PostgreSQLPageCommitter: PageCommitter {
    private let store: PostgreSQLSecretStore
    private let session: Session
    /// A range of a fleet's job, whose lease is checked and renewed in each transaction; its row takes the journal.
    private let claim: RangeClaim?
    private let rewrap: Statement
    /// Takes more of the server's memory once than a batch does, which is a megabyte. glibc gives so much back to the kernel
    /// after each statement, and gets it again page by page, which took a seventh of the server's time, until it has seen
    /// that a program takes and gives back more.
    private static let makingRoom =
        "SELECT pg_catalog.octet_length(pg_catalog.repeat(pg_catalog.repeat(' ', 1024), 2048))"

    init(_ store: PostgreSQLSecretStore, claim: RangeClaim? = nil) throws {
        self.store = store
        self.claim = claim
        session = try store.pool.take()
        rewrap = Statement(
            "CALL \(store.schema.prefix)rewrap('\(store.lockWait)', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            room: 256 * 32)
    }

    deinit { store.pool.giveBack(session) }

    func commit(
        _ batch: PageBatch, to mark: GenerationMark, job: String,
        journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally {
        try store.translated {
            if batch.failures.isEmpty, isDense(batch) {
                do { return try commitAtOnce(batch, to: mark, journal) } catch let failure as ServerFailure
                    where failure.state == PostgreSQLSchema.Condition.changed || failure.code == .busy
                {
                    try SessionPool.rollBack(session)
                } catch {
                    try? SessionPool.rollBack(session)
                    throw error
                }
            }
            return try SessionPool.retrying(on: session) { try commitSlotwise(batch, to: mark, job: job, journal) }
        }
    }

    /// The journal, and with a claim the proof that it still holds.
    private func noting(_ record: JournalRecord, _ batch: PageBatch) -> Statement {
        guard let claim else { return store.writing(record) }
        return store.noting(record, of: claim, handled: batch.scanned)
    }

    // MARK: Nothing came in between

    /// Whether few numbers are missing among the pages; more are only where many transactions failed one after another.
    private func isDense(_ batch: PageBatch) -> Bool {
        batch.count > 0 && batch.pages[batch.count - 1] - batch.pages[0] < 4 * batch.capacity
    }

    private func commitAtOnce(
        _ batch: PageBatch, to mark: GenerationMark, _ journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally {
        var tally = CommitTally()
        for source in batch.sources { tally.moved += source.count }
        let record = try journal(tally)
        fill(batch, to: mark, record)
        var opening = [Statement(PostgreSQLSecretStore.beginning, room: 16)]
        if !session.keepsMemory { opening.append(Statement(Self.makingRoom, room: 16)) }
        session.keepsMemory = true
        if let claim {
            let noting = store.noting(record, of: claim, handled: batch.scanned)
            try session.run(opening + [rewrap, noting, PostgreSQLSecretStore.commit])
        } else {
            try session.run(opening + [rewrap, PostgreSQLSecretStore.commit], namesSchemas: true)
        }
        return tally
    }

    private func fill(_ batch: PageBatch, to mark: GenerationMark, _ record: JournalRecord) {
        let (rewrap, pageLength, first) = (rewrap, batch.pageLength, batch.pages[0])
        // All numbers from the first page to the last one: for each, which of the pages that are written it is.
        let span = Int(batch.pages[batch.count - 1] - first) + 1
        rewrap.reset()
        rewrap.integer(Int64(mark.number)).integer(first)
        var count: Int64 = 0
        rewrap.array(.integer, count: span) {
            eachNumber(batch) { index in
                let isWritten = index.map { batch.changed[$0] } ?? false
                count += isWritten ? 1 : 0
                rewrap.element(isWritten ? count : 0)
            }
        }
        rewrap.array(.transaction, count: span) {
            // No transaction has the number 0.
            eachNumber(batch) { index in
                rewrap.element(index.map { batch.changed[$0] ? batch.stamps[$0] : 0 } ?? 0)
            }
        }
        if count == batch.count {
            rewrap.borrowed(UnsafeRawBufferPointer(start: batch.new, count: batch.count * pageLength))
        } else {
            rewrap.pieces {
                for index in 0..<batch.count where batch.changed[index] {
                    rewrap.piece(UnsafeRawBufferPointer(start: batch.new + index * pageLength, count: pageLength))
                }
            }
        }
        let changes = changes(batch, [:], to: mark).filter { $0.value != 0 }.sorted { $0.key < $1.key }
        rewrap.integers(changes.map { Int64($0.key) }).integers(changes.map { Int64($0.value) })
        // A range's own row takes the journal of a fleet's job.
        let isNoted = claim == nil
        rewrap.text(isNoted ? record.job : nil)
        rewrap.bytes(isNoted ? record.content : []).bytes(isNoted ? record.mac : [])
    }

    /// Calls `body` for each number from the first page to the last one, with the page's index or nil for a gap.
    private func eachNumber(_ batch: PageBatch, _ body: (Int?) -> Void) {
        var number = batch.pages[0]
        for index in 0..<batch.count {
            while number < batch.pages[index] {
                body(nil)
                number += 1
            }
            body(index)
            number += 1
        }
    }

    private func changes(_ batch: PageBatch, _ lost: [UInt32: Int], to mark: GenerationMark) -> [UInt32: Int] {
        var changes: [UInt32: Int] = [:]
        for source in batch.sources {
            let moved = source.count - lost[source.generation, default: 0]
            changes[source.generation, default: 0] -= moved
            changes[mark.number, default: 0] += moved
        }
        return changes
    }

    /// What is on the quarantine's list within the batch is not failing any more, but for those in `failing`.
    ///
    /// - Parameter held: pages that nobody has looked at.
    private func release(_ batch: PageBatch, but failing: [Int64], pages held: [Int64]) -> Statement {
        let slots = Int64(store.slotsPerPage)
        return Statement(
            """
            DELETE FROM \(store.schema.prefix)quarantine
            WHERE id >= $1 AND id < $2 AND id <> ALL ($3) AND id / \(slots) <> ALL ($4)
            """
        )
        .integer(batch.pages[0] * slots).integer((batch.pages[batch.count - 1] + 1) * slots).integers(failing)
        .integers(held)
    }

    // MARK: Slot by slot

    private func commitSlotwise(
        _ batch: PageBatch, to mark: GenerationMark, job: String, _ journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally {
        var pages = PageImages(store)
        var wanted = Set((0..<batch.count).filter { batch.changed[$0] }.map { batch.pages[$0] })
        for failure in batch.failures { wanted.insert(batch.pages[failure.index]) }
        // A page that somebody else holds just now is left as it is: the run looks at what is left once more.
        let rows = try session.run(
            store.opening(.rewrap, fence: (mark.number, true)) + [pages.lock(wanted.sorted(), skippingHeld: true)])
        try pages.take(rows[rows.count - 1])
        var tally = CommitTally()
        var lost: [UInt32: Int] = [:]
        for index in 0..<batch.count where batch.changed[index] { swap(batch, index, &pages, &tally, &lost) }
        for source in batch.sources { tally.moved += source.count - lost[source.generation, default: 0] }
        let failing = fail(batch, pages, &tally)
        var statements = pages.writing()
        if batch.count > 0 {
            let held = wanted.filter { !pages.contains($0) }
            statements.append(release(batch, but: failing.map(\.id), pages: Array(held)))
        }
        if !failing.isEmpty { statements.append(store.quarantining(failing, job: job)) }
        statements += store.counting(changes(batch, lost, to: mark))
        statements.append(noting(try journal(tally), batch))
        try session.run(statements + [PostgreSQLSecretStore.commit])
        return tally
    }

    /// Replaces the slots of a page that are still what was read.
    private func swap(
        _ batch: PageBatch, _ index: Int, _ pages: inout PageImages, _ tally: inout CommitTally,
        _ lost: inout [UInt32: Int]
    ) {
        let (old, new) = (batch.old + index * batch.pageLength, batch.new + index * batch.pageLength)
        for slot in 0..<batch.slotsPerPage {
            let offset = slot * Slot.length
            guard memcmp(old + offset, new + offset, Slot.length) != 0 else { continue }
            let place = SlotPlace(page: batch.pages[index], slot: slot)
            if pages.isStill(old + offset, at: place) {
                pages.set(place, new + offset)
            } else {
                tally.superseded += 1
                lost[Slot.generation(old + offset), default: 0] += 1
            }
        }
    }

    /// The failures that are still what was read.
    private func fail(_ batch: PageBatch, _ pages: PageImages, _ tally: inout CommitTally) -> [FailingSlot] {
        var failing: [FailingSlot] = []
        for failure in batch.failures {
            let place = SlotPlace(page: batch.pages[failure.index], slot: failure.slot)
            let old = batch.old + failure.index * batch.pageLength + failure.slot * Slot.length
            guard pages.isStill(old, at: place) else {
                tally.superseded += 1
                continue
            }
            tally.failed[failure.reason] += 1
            failing.append(
                FailingSlot(
                    id: store.id(place), place: place, generation: failure.generation, reason: failure.reason))
        }
        return failing
    }
}
