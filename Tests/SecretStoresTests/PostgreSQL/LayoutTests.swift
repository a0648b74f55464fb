import Cryptography
import Foundation
import SecretStores
import TestServers
import Testing

/// How rows lie, and what a rewrap does to them.
@Suite(.timeLimit(.minutes(15))) struct LayoutTests {
    /// A store on a server of its own: transactions of other tests would keep the server from clearing old versions away.
    private struct Alone {
        let database: Database
        let store: PostgreSQLSecretStore

        init() throws {
            database = try PostgresServer().database()
            store = try PostgreSQLSecretStore.create(StoreKind.address(of: database), group: .random())
        }
    }

    private func numbers(_ alone: Alone, _ sql: String) throws -> [Int] {
        let rows = try alone.database.run(sql.replacing("SCHEMA", with: "keyroll"))
        return rows.flatMap { $0 }.map { Int($0 ?? "") ?? -1 }
    }

    /// Whole rotations: every update is a HOT one, indexes do not grow, and after the first the table does not either.
    @Test func aRewrapTouchesNoIndex() throws {
        do {
            let fixture = try Alone()
            let count = 8000
            for first in stride(from: 0, to: count, by: 1000) {
                try fixture.store.put((first..<first + 1000).map { Entry("name \($0)") })
            }
            let sizes = "SELECT pg_relation_size('SCHEMA.key_page'), pg_indexes_size('SCHEMA.key_page')"
            let stats = """
                SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
                WHERE relid = 'SCHEMA.key_page'::regclass
                """
            let before = try numbers(fixture, sizes)
            var updates = try numbers(fixture, stats)
            var after: [[Int]] = []
            for target in 2...6 as ClosedRange<UInt32> {
                try fixture.store.raiseFence(to: .test(target))
                var last: Int64 = 0
                let reader = try fixture.store.pageReader()
                let committer = try fixture.store.pageCommitter()
                let batch = PageBatch(slotsPerPage: fixture.store.slotsPerPage, capacity: 50)
                while true {
                    batch.reset()
                    try reader.read(into: batch, after: last)
                    guard batch.count > 0 else { break }
                    last = batch.pages[batch.count - 1]
                    batch.moveAll(to: target)
                    let tally = try committer.commit(batch, to: .test(target), job: "job") { _ in .test("job") }
                    #expect(tally.superseded == 0)
                }
                after.append(try numbers(fixture, sizes))
            }
            #expect(try fixture.store.recount().counts == [6: Int64(count)])
            // The server tells its counts at its leisure.
            var seen = updates
            let end = Date().addingTimeInterval(20)
            while seen[0] < updates[0] + 5 * 200, Date() < end {
                usleep(200_000)
                seen = try numbers(fixture, stats)
            }
            updates = [seen[0] - updates[0], seen[1] - updates[1]]
            #expect(updates[0] >= 5 * 200 && updates[1] >= updates[0] * 99 / 100, "\(updates)")
            #expect(after.allSatisfy { $0[0] <= before[0] * 11 / 10 }, "\(before) \(after)")
            #expect(after.allSatisfy { $0[1] == before[1] }, "\(before) \(after)")
        }
    }

    /// Key pages lie in line, two of them and room for their next versions in a block.
    @Test func keyPagesLieInLine() throws {
        do {
            let fixture = try Alone()
            for first in stride(from: 0, to: 4000, by: 1000) {
                try fixture.store.put((first..<first + 1000).map { Entry("name \($0)") })
            }
            let toast = try numbers(
                fixture,
                """
                SELECT coalesce((SELECT pg_relation_size(reltoastrelid) FROM pg_class
                    WHERE oid = 'SCHEMA.key_page'::regclass AND reltoastrelid <> 0), 0)
                """)
            #expect(toast == [0])
            let perBlock = try numbers(
                fixture, "SELECT max(n) FROM (SELECT count(*) n FROM SCHEMA.key_page GROUP BY (ctid::text::point)[0]) b"
            )
            #expect(perBlock == [2])
        }
    }

    /// Counters are only ever inserted; the end of a job folds them.
    @Test func countersAreFolded() throws {
        do {
            let fixture = try Alone()
            for number in 0..<100 { try fixture.store.put([Entry("name \(number)")]) }
            // A write folds them now and then by itself: after any of them one or more rows are left.
            #expect(try numbers(fixture, "SELECT count(*), sum(change) FROM SCHEMA.census")[1] == 100)
            for number in 100..<103 { try fixture.store.put([Entry("name \(number)")]) }
            #expect(try numbers(fixture, "SELECT count(*) FROM SCHEMA.census")[0] > 1)
            try fixture.store.finish(.test("job", isFinished: true)) { #expect($0.counts == [1: 103]) }
            #expect(try numbers(fixture, "SELECT count(*) FROM SCHEMA.census") == [1])
            #expect(try fixture.store.census().counts == [1: 103])
        }
    }
}
