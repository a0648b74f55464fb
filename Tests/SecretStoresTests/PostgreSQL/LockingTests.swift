import Cryptography
import Foundation
import PostgreSQL
import SecretStores
import TestServers
import Testing

/// What others hold locked, and who waits for whom.
@Suite(.timeLimit(.minutes(15))) struct LockingTests {
    /// A transaction of somebody else's that has changed a page and is not over.
    private func holding(_ fixture: Fixture, page: Int64, _ body: (Session) throws -> Void) throws {
        let session = try Session(StoreKind.address)
        try session.run("BEGIN")
        try session.run("UPDATE \"\(fixture.folder.schema)\".key_page SET has_room = has_room WHERE page = \(page)")
        try body(session)
    }

    /// A page with room that somebody holds is skipped: nobody waits for another writer's page.
    @Test func claimsSkipWhatOthersHold() throws {
        try StoreKind.postgres.run { fixture in
            try fixture.store.put([Entry("first")])
            try holding(fixture, page: 1) { session in
                let start = Date()
                try fixture.store.put([Entry("second")])
                #expect(Date().timeIntervalSince(start) < 1)
                #expect(try fixture.place("second")?.page == 2)
                try session.run("COMMIT")
            }
            try fixture.store.put([Entry("third")])
            #expect(try fixture.place("third") == SlotPlace(page: 1, slot: 1))
        }
    }

    /// A rewrap that has waited for a page in vain leaves it for another look, and moves the others.
    @Test func aHeldPageIsComeBackTo() throws {
        try StoreKind.postgres.run { fixture in
            try fixture.store.put((0..<120).map { Entry("name \($0)") })
            try fixture.store.raiseFence(to: .test(2))
            try holding(fixture, page: 2) { session in
                let tally = try fixture.move(to: 2)
                #expect(tally.moved == 80 && tally.superseded == 40)
                try session.run("COMMIT")
            }
            #expect(try fixture.store.census().counts == [1: 40, 2: 80])
            #expect(try fixture.move(to: 2).moved == 40)
            #expect(try fixture.store.recount().counts == [2: 120])
        }
    }

    /// A slot that changes while the committer waits for its page: the server looks at the new version, and it is kept.
    @Test func changedWhileWaitedFor() throws {
        try StoreKind.postgres.run { fixture in
            try fixture.store.put((0..<80).map { Entry("name \($0)") })
            try fixture.store.raiseFence(to: .test(2))
            let place = try #require(try fixture.place("name 50"))
            let schema = fixture.folder.schema
            let offset = place.slot * Slot.length + 10
            let tally = try fixture.move(to: 2) {
                let session = try Session(StoreKind.address)
                try session.run("BEGIN")
                try session.run(
                    """
                    UPDATE "\(schema)".key_page SET slots = set_byte(slots, \(offset), get_byte(slots, \(offset)) # 1)
                    WHERE page = \(place.page)
                    """)
                DispatchQueue.global().asyncAfter(deadline: .now() + 0.4) { _ = try? session.run("COMMIT") }
            }
            #expect(tally.moved == 79 && tally.superseded == 1)
            var expected = Entry("name 50").slot
            expected[10] ^= 1
            #expect(try fixture.slots()[place] == expected)
            #expect(try fixture.store.recount().counts == [1: 1, 2: 79])
            #expect(try fixture.store.census() == fixture.store.recount())
        }
    }

    /// Somebody locks two pages in the other order: the server ends one of the two, and keyroll begins anew.
    @Test func deadlocksAreTriedAgain() throws {
        try StoreKind.postgres.run { fixture in
            try fixture.store.put((0..<80).map { Entry("name \($0)") })
            let first = try #require(try (0..<80).first { try fixture.place("name \($0)")?.page == 1 })
            let second = try #require(try (0..<80).first { try fixture.place("name \($0)")?.page == 2 })
            let new = [Entry("name \(first)", seed: 1), Entry("name \(second)", seed: 1)]
            let schema = fixture.folder.schema
            let results = try inParallel(2) { number -> Bool in
                if number == 0 {
                    usleep(300_000)
                    try fixture.again().put(new)
                    return true
                }
                let session = try Session(StoreKind.address)
                try session.run("BEGIN")
                try session.run("UPDATE \"\(schema)\".key_page SET has_room = has_room WHERE page = 2")
                usleep(800_000)
                do {
                    try session.run("UPDATE \"\(schema)\".key_page SET has_room = has_room WHERE page = 1")
                    try session.run("COMMIT")
                } catch { try session.run("ROLLBACK") }
                return true
            }
            #expect(results == [true, true])
            for entry in new { #expect(try fixture.store.entry(entry.name) == entry) }
            #expect(try fixture.store.inspect(limit: 5) == [])
        }
    }

    /// A database whose transactions are serializable unless they say otherwise.
    @Test func whateverTheDatabasesDefaults() throws {
        let database = try StoreKind.database.get().server.database()
        for setting in [
            "default_transaction_isolation = 'serializable'", "default_transaction_read_only = on",
            "standard_conforming_strings = off", "lc_messages = 'de_DE.UTF-8'", "enable_indexscan = off",
        ] {
            _ = try? database.run("ALTER DATABASE \(database.name) SET \(setting)")
        }
        let address = try ServerAddress(database.connection)
        let store = try PostgreSQLSecretStore.create(address, group: .random())
        _ = try inParallel(4) { number in
            let own = try PostgreSQLSecretStore.open(address, group: store.group)
            for round in 0..<40 {
                try own.put([Entry("name \(number) \(round)"), Entry("shared", seed: UInt64(round))])
            }
        }
        #expect(try store.names().count == 161)
        #expect(try store.census() == store.recount())
        #expect(try store.inspect(limit: 5) == [])
    }
}
