import Cryptography
import Foundation
import PostgreSQL
import SecretStores
import TestServers
import Testing

/// What is on the disk when keyroll says so.
@Suite(.timeLimit(.minutes(15))) struct DurabilityTests {
    /// A rewrap's batches do not wait for the disk; the barrier does, for all of them.
    @Test func theBarrierWaitsForWhatCameBefore() throws {
        let server = try PostgresServer(
            .init(configuration: ["wal_writer_delay = 10s", "wal_writer_flush_after = 100MB", "fsync = on"]))
        let database = try server.database()
        let store = try PostgreSQLSecretStore.create(StoreKind.address(of: database), group: .random())
        try store.put((0..<400).map { Entry("name \($0)") })
        try store.raiseFence(to: .test(2))
        let batch = PageBatch(slotsPerPage: store.slotsPerPage, capacity: 20)
        try store.pageReader().read(into: batch, after: 0)
        batch.moveAll(to: 2)
        _ = try store.pageCommitter().commit(batch, to: .test(2), job: "job") { _ in .test("job") }
        let committed = try database.run("SELECT pg_current_wal_insert_lsn()")[0][0] ?? ""
        func isFlushed() throws -> Bool {
            try database.run("SELECT pg_current_wal_flush_lsn() >= '\(committed)'::pg_lsn") == [["t"]]
        }
        #expect(try !isFlushed())
        try store.barrier()
        #expect(try isFlushed())
        // And so it is after the server's end.
        try server.kill()
        try server.start()
        #expect(try store.recount().counts == [2: 400])
        try server.stop()
    }

    /// A fold of the counters and a count of the slots at once: they agree afterwards.
    @Test func foldedWhileCounted() throws {
        try StoreKind.postgres.run { fixture in
            try fixture.store.put((0..<100).map { Entry("name \($0)") })
            _ = try inParallel(4) { number in
                let store = try fixture.again()
                for round in 0..<30 {
                    if number == 0 {
                        _ = try store.correctCensus()
                    } else if number == 1 {
                        try store.finish(.test("job \(round)", isFinished: true)) { _ in }
                    } else {
                        try store.put([Entry("name \(number) \(round)")])
                    }
                }
            }
            #expect(try fixture.store.census() == fixture.store.recount())
            #expect(try fixture.store.census().counts == [1: 160])
        }
    }
}

/// Which servers nobody can listen to in between.
@Suite struct LocalServerTests {
    /// The connection comes about only where the server may be believed without a certificate.
    @Test(arguments: [
        ("host=localhost hostaddr=127.0.0.1", true), ("host=db.example hostaddr=127.0.0.1", true),
        ("host=127.0.0.1", true), ("host=localhost,LOCALHOST hostaddr=127.0.0.1,", false), ("host=LOCALHOST", false),
        ("host=localhost,LOCALHOST", false),
    ])
    func local(hosts: String, isLocal: Bool) throws {
        let server = try Self.server.get()
        let ports = hosts.contains(",") ? "1,\(server.port)" : "\(server.port)"
        let address = try ServerAddress("\(hosts) port=\(ports) dbname=postgres user=postgres sslmode=disable")
        do {
            _ = try Session(address)
            Issue.record("without a password nobody is let in")
        } catch let failure as ServerFailure {
            #expect(failure.code == (isLocal ? .notPermitted : .unsafe), "\(failure)")
        }
    }

    private static let server = Result { try PostgresServer(.init(tcp: .plain)) }
}
