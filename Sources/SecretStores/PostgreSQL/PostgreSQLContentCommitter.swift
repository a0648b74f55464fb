import Glibc
import PostgreSQL

/// Writes contents and slots back under new data keys: compare-and-swap by slot, one durable transaction a batch, in two
/// round trips: lock and compare, write and commit.
final class PostgreSQLContentCommitter: ContentCommitter {
    private let store: PostgreSQLSecretStore
    private let session: Session

    init(_ store: PostgreSQLSecretStore) throws {
        self.store = store
        session = try store.pool.take()
    }

    deinit { store.pool.giveBack(session) }

    func commit(
        _ batch: ContentBatch, to mark: GenerationMark, job: String,
        journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally {
        try store.translated {
            try SessionPool.retrying(
                on: session, where: { $0.code == .busy || $0.state == PostgreSQLSchema.Condition.changed }
            ) { try attemptCommit(batch, to: mark, job: job, journal) }
        }
    }

    private func attemptCommit(
        _ batch: ContentBatch, to mark: GenerationMark, job: String, _ journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally {
        var pages = PageImages(store)
        var wanted = Set(batch.renewals.map { batch.records[$0.index].place.page })
        for failure in batch.failures where failure.index != nil { wanted.insert(failure.place.page) }
        let rows = try session.run(store.opening(.full, fence: (mark.number, true)) + [pages.lock(wanted.sorted())])
        try pages.take(rows[rows.count - 1])
        var tally = CommitTally()
        var counts: [UInt32: Int] = [:]
        var written: [ContentBatch.Renewal] = []
        for renewal in batch.renewals {
            let record = batch.records[renewal.index]
            guard pages.isStill(batch.base + record.slot, at: record.place) else {
                tally.superseded += 1
                continue
            }
            let before = pages.set(record.place, batch.newSlots + renewal.slot)
            counts[before, default: 0] -= 1
            counts[mark.number, default: 0] += 1
            tally.moved += 1
            written.append(renewal)
        }
        let failing = fail(batch, pages, &tally)
        var statements = pages.writing()
        if !written.isEmpty { statements += writing(written, batch, mark) }
        if !failing.isEmpty { statements.append(store.quarantining(failing, job: job)) }
        statements += store.counting(counts)
        statements.append(store.writing(try journal(tally)))
        try session.run(statements + [PostgreSQLSecretStore.commit])
        return tally
    }

    private func writing(
        _ written: [ContentBatch.Renewal], _ batch: ContentBatch, _ mark: GenerationMark
    ) -> [Statement] {
        let ids = written.map { store.id(batch.records[$0.index].place) }
        let update = Statement(
            """
            WITH done AS (
                UPDATE \(store.schema.prefix)secret s SET birth = $3, body = u.body
                FROM unnest($1, $2) u (id, body) WHERE s.id = u.id RETURNING 1)
            SELECT \(store.schema.prefix)expect(count(*), $4, '\(PostgreSQLSchema.Condition.changed)') FROM done
            """, room: batch.byteCount + written.count * 24 + 256)
        update.integers(ids)
        update.array(.bytes, count: written.count) {
            for renewal in written { update.element(batch.bytes(batch.records[renewal.index].body)) }
        }
        update.integer(Int64(mark.number)).integer(Int64(written.count))
        return [
            update, Statement("DELETE FROM \(store.schema.prefix)quarantine WHERE id = ANY ($1)").integers(ids),
        ]
    }

    private func fail(_ batch: ContentBatch, _ pages: PageImages, _ tally: inout CommitTally) -> [FailingSlot] {
        var failing: [FailingSlot] = []
        for failure in batch.failures {
            if let index = failure.index,
                !pages.isStill(batch.base + batch.records[index].slot, at: failure.place)
            {
                tally.superseded += 1
                continue
            }
            tally.failed[failure.reason] += 1
            failing.append(
                FailingSlot(
                    id: store.id(failure.place), place: failure.place, generation: failure.generation,
                    reason: failure.reason))
        }
        return failing
    }
}
