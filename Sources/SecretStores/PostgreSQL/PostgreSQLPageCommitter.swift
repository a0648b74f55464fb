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

    init(_ store: PostgreSQLSecretStore, claim: RangeClaim? = nil) throws {
        self.store = store
        self.claim = claim
        session = try store.pool.take()
        rewrap = Statement(
            "SELECT \(store.schema.prefix)rewrap($1, $2, $3, $4, $5, $6, $7, $8)", room: 256 * (store.pageLength + 64))
    }

    deinit { store.pool.giveBack(session) }

    func commit(
        _ batch: PageBatch, to mark: GenerationMark, job: String,
        journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally {
        try store.translated {
            if batch.failures.isEmpty, batch.count > 0 {
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

    private func commitAtOnce(
        _ batch: PageBatch, to mark: GenerationMark, _ journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally {
        var tally = CommitTally()
        for source in batch.sources { tally.moved += source.count }
        fill(batch, to: mark)
        let noted = noting(try journal(tally), batch)
        try session.run(store.opening(.rewrap) + [rewrap, noted, PostgreSQLSecretStore.commit])
        return tally
    }

    /// A page's version is the transaction that wrote it (`xmin`).
    private func fill(_ batch: PageBatch, to mark: GenerationMark) {
        let (rewrap, pageLength, slots) = (rewrap, batch.pageLength, Int64(store.slotsPerPage))
        let count = (0..<batch.count).reduce(0) { $0 + (batch.changed[$1] ? 1 : 0) }
        rewrap.reset()
        rewrap.integer(Int64(mark.number))
        rewrap.array(.integer, count: count) {
            for index in 0..<batch.count where batch.changed[index] { rewrap.element(batch.pages[index]) }
        }
        rewrap.array(.transaction, count: count) {
            for index in 0..<batch.count where batch.changed[index] { rewrap.element(batch.stamps[index]) }
        }
        rewrap.pieces {
            for index in 0..<batch.count where batch.changed[index] {
                rewrap.piece(UnsafeRawBufferPointer(start: batch.new + index * pageLength, count: pageLength))
            }
        }
        // What is on the quarantine's list within the batch is not failing any more.
        rewrap.integer(batch.pages[0] * slots).integer((batch.pages[batch.count - 1] + 1) * slots)
        let changes = changes(batch, [:], to: mark).filter { $0.value != 0 }.sorted { $0.key < $1.key }
        rewrap.integers(changes.map { Int64($0.key) }).integers(changes.map { Int64($0.value) })
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
