import Cryptography
import Foundation
import SecretStores
import TestServers
import Testing

/// Claims of ranges and their leases.
@Suite(.timeLimit(.minutes(15))) struct FleetStoreTests {
    private let worker = FleetWorkerName(host: "one", process: 1, nonce: "a")
    private let other = FleetWorkerName(host: "two", process: 2, nonce: "b")

    /// A store with 200 secrets, fenced at 2, and a job of ranges of one page.
    private func run(_ body: (Fixture, any FleetStore) throws -> Void) throws {
        try StoreKind.postgres.run { fixture in
            try fixture.store.put((0..<200).map { Entry("name \($0)") })
            try fixture.store.raiseFence(to: .test(2))
            let store = try #require(fixture.store as? any FleetStore)
            #expect(try store.plan(.test("job"), ranges: [1, 2, 3, 4, 5], inPlaceOf: nil))
            try body(fixture, store)
        }
    }

    private func batch(_ fixture: Fixture, _ claim: RangeClaim) throws -> PageBatch {
        let batch = PageBatch(slotsPerPage: fixture.store.slotsPerPage, capacity: 1)
        try fixture.store.pageReader().read(into: batch, after: claim.after)
        batch.moveAll(to: 2)
        return batch
    }

    @Test func rangesAreGivenOutOnce() throws {
        try run { fixture, store in
            #expect(try store.openFleetJob()?.record == .test("job"))
            let claims = try (0..<5).map { number in
                try #require(
                    try store.claim("job", worker: .init(host: "w", process: Int32(number), nonce: ""), lease: 60))
            }
            #expect(claims.map(\.number) == [1, 2, 3, 4, 5] && claims.map(\.after) == [0, 1, 2, 3, 4])
            #expect(claims.last?.through == .max && claims.allSatisfy { $0.attempt == 1 && $0.journal == nil })
            #expect(try store.claim("job", worker: other, lease: 60) == nil)
            #expect(try store.claim("no such job", worker: other, lease: 60) == nil)
            try store.release(claims[2])
            let again = try #require(try store.claim("job", worker: other, lease: 60))
            #expect(again.number == 3 && again.attempt == 2)
        }
    }

    /// Whoever's lease has lapsed commits nothing, also if nobody has taken the range over yet.
    @Test(arguments: [false, true])
    func aLapsedLease(isTakenOver: Bool) throws {
        try run { fixture, store in
            try store.enlist(worker, job: "job")
            let claim = try #require(try store.claim("job", worker: worker, lease: 1))
            let committer = try store.pageCommitter(for: claim)
            let batch = try batch(fixture, claim)
            usleep(1_200_000)
            if isTakenOver {
                let taken = try #require(try store.claim("job", worker: other, lease: 60))
                #expect(taken.number == claim.number && taken.attempt == 2)
            }
            #expect(
                code { _ = try committer.commit(batch, to: .test(2), job: "job") { _ in .test("job") } } == .claimLost)
            #expect(code { try store.complete(claim, .test("job")) } == .claimLost)
            #expect(try store.recount().counts == [1: 200])
            #expect(try store.census().counts == [1: 200])
        }
    }

    /// The next worker goes on with what was committed last.
    @Test func takenOverWhereItStopped() throws {
        try run { fixture, store in
            try store.enlist(worker, job: "job")
            let claim = try #require(try store.claim("job", worker: worker, lease: 1))
            let tally = try store.pageCommitter(for: claim).commit(batch(fixture, claim), to: .test(2), job: "job") {
                _ in
                .test("job", content: [1, 2, 3])
            }
            #expect(tally.moved == 40)
            #expect(try store.fleetJob("job")?.workers.first?.handled == 40)
            usleep(1_200_000)
            let taken = try #require(try store.claim("job", worker: other, lease: 60))
            #expect(taken.number == claim.number && taken.journal?.content == [1, 2, 3])
            try store.complete(taken, .test("job", content: [4]))
            let job = try #require(try store.fleetJob("job"))
            #expect(job.ranges.map(\.isDone) == [true, false, false, false, false] && !job.isThrough)
            #expect(job.ranges[0].journal?.content == [4])
        }
    }

    @Test func theJobsLockHasOneHolder() throws {
        try run { fixture, store in
            #expect(try store.takeLock(of: "job", worker: worker, lease: 1))
            #expect(try store.takeLock(of: "job", worker: worker, lease: 1))
            #expect(try !store.takeLock(of: "job", worker: other, lease: 1))
            usleep(1_200_000)
            #expect(try store.takeLock(of: "job", worker: other, lease: 60))
            #expect(try !store.takeLock(of: "job", worker: worker, lease: 60))
            try store.endFleetJob("job")
            #expect(try !store.takeLock(of: "job", worker: other, lease: 60))
            #expect(try store.openFleetJob() == nil)
            #expect(try store.fleetJob("job")?.isFinished == true)
        }
    }

    /// Many that plan and claim at once: one job, and each range once.
    @Test func manyAtOnce() throws {
        try run { fixture, store in
            let numbers = try inParallel(8) { number -> [Int64] in
                let own = try #require(try fixture.again() as? any FleetStore)
                _ = try own.plan(.test("next"), ranges: Array(1...40), inPlaceOf: "job")
                var mine: [Int64] = []
                while let claim = try own.claim(
                    "next", worker: .init(host: "w", process: Int32(number), nonce: "\(number)-\(mine.count)"),
                    lease: 60)
                { mine.append(claim.number) }
                return mine
            }
            #expect(numbers.flatMap { $0 }.sorted() == Array(1...40))
            #expect(try store.fleetJob("job")?.isFinished == true)
        }
    }

    /// The server is killed: what it has said is true, and no attempt's number comes twice.
    @Test func aKilledServer() throws {
        let server = try PostgresServer()
        let database = try server.database()
        let address = try StoreKind.address(of: database)
        let store = try PostgreSQLSecretStore.create(address, group: .random())
        try store.put((0..<80).map { Entry("name \($0)") })
        try store.raiseFence(to: .test(2))
        #expect(try store.plan(.test("job"), ranges: [1, 2], inPlaceOf: nil))
        let claim = try #require(try store.claim("job", worker: worker, lease: 60))
        try server.kill()
        #expect(throws: (any Error).self) { try store.census() }
        try server.start()
        // The same object goes on: it connects anew.
        let again = try #require(try store.claim("job", worker: worker, lease: 60))
        #expect(again.number == claim.number && again.attempt == claim.attempt + 1)
        #expect(try store.recount().counts == [1: 80])
        try server.stop()
    }
}
