import Cryptography
import Files
import KeyManagement
import PostgreSQL
import TestServers
import Testing

/// Who may do what with a ring: the server decides, whatever the client is.
@Suite struct RoleTests {
    private let store: RingDatabase
    private let reader: String
    private let `operator`: String
    private let auditor: String
    private let nobody: String

    init() throws {
        store = try RingDatabase()
        reader = try store.login("reader", store.ring.reader)
        `operator` = try store.login("operator", store.ring.operator)
        auditor = try store.login("auditor", store.ring.auditor)
        nobody = try store.login("nobody")
        try store.create(rolls: 2)
    }

    // MARK: Through keyroll

    @Test func readersReadAndChangeNothing() throws {
        let before = try store.rows()
        let keeper = try store.open(as: reader)
        #expect(keeper.keyring.ring.active?.number == 2)
        let refused = try #require(failure { _ = try keeper.roll() })
        #expect(refused.code == .notPermitted)
        #expect(refused.description.contains("role \(reader) may not change the ring of group \(store.group)"))
        #expect(refused.description.contains("GRANT \(store.ring.operator) TO \(reader)"))
        #expect(!refused.description.contains("\n"))
        #expect(try store.rows() == before)
    }

    @Test func operatorsRollAndLeaveThePolicyAlone() throws {
        let keeper = try store.open(as: `operator`)
        try keeper.roll()
        #expect(try store.open(as: reader).keyring.ring.active?.number == 3)
        let before = try store.rows()
        let other = Policy(cryptoperiod: 1, propagationDelay: 0, soakTime: 0, keepDeactivated: 0)
        let refused = try #require(failure { try keeper.update { $0.adopt(other) } })
        #expect(refused.code == .notPermitted && refused.state == "42501")
        #expect(refused.description.contains("may not change the policy of group \(store.group)"))
        #expect(refused.description.contains(store.ring.owner))
        #expect(try store.rows() == before)
        // What the owner decides they carry on.
        try store.open().update { $0.adopt(other) }
        try keeper.roll()
        #expect(try store.open(as: reader).keyring.ring.policy == other)
    }

    @Test func operatorsMakeAndRemoveNoRing() throws {
        let repository = store.repository(as: `operator`)
        let stored = try repository.load()[0].content.get()
        #expect(failure { try repository.remove(stored) }?.code == .notPermitted)
        #expect(failure { try repository.replace(with: stored) }?.code == .notPermitted)
        try store.repository().remove(stored)
        let refused = try #require(failure { try repository.commit(stored, replacing: nil) })
        #expect(refused.code == .notPermitted && refused.description.contains("GRANT \(store.ring.owner) TO"))
        #expect(try store.rows() == [[], []])
        try store.repository().commit(stored, replacing: nil)
        #expect(try store.open().keyring.ring.active?.number == 2)
    }

    @Test func othersSeeNothingAndAreToldWhy() throws {
        for role in [auditor, nobody] {
            let refused = try #require(failure { _ = try store.open(as: role) })
            #expect(refused.code == .notPermitted)
            #expect(refused.description.contains("role \(role) may not read the ring of group \(store.group)"))
            #expect(refused.description.contains("GRANT \(store.ring.reader) TO \(role)"))
            let stored = try store.keyRepository.load()[0].content.get()
            #expect(
                failure { try store.repository(as: role).commit(stored, replacing: stored.sequence) }?.code
                    == .notPermitted)
        }
    }

    /// Owners give rights on their own ring, and on no other; nobody else gives any.
    @Test func ownersSayWhoElseMay() throws {
        let other = try RingDatabase("Other ", beside: store)
        for role in [store.ring.reader, store.ring.operator, store.ring.auditor] {
            let grant = "GRANT \(role) TO \(nobody)"
            for refused in [reader, `operator`, auditor, nobody, other.owner] {
                #expect(state(grant, store.database, as: refused) == "42501", "\(refused): \(grant)")
            }
            #expect(state(grant, store.database, as: store.owner) == nil)
        }
        #expect(state("GRANT \(store.ring.owner) TO \(nobody)", store.database, as: store.owner) == "42501")
        try store.open(as: nobody).roll()
        #expect(state("REVOKE \(store.ring.operator) FROM \(nobody)", store.database, as: store.owner) == nil)
        #expect(failure { _ = try store.open(as: nobody).roll() }?.code == .notPermitted)
    }

    /// A right that is taken away counts at once, for a keeper that is open, too.
    @Test func revokedRightsAreGone() throws {
        let keeper = try store.open(as: reader)
        try store.database.run("REVOKE \(store.ring.reader) FROM \(reader)")
        #expect(failure { _ = try keeper.reload() }?.code == .notPermitted)
    }

    @Test func aRingThatIsNotThereIsNotARightThatIsMissing() throws {
        let stored = try store.keyRepository.load()[0].content.get()
        try store.repository().remove(stored)
        #expect(failure { _ = try store.open(as: reader) }?.code == .missing)
        let empty = try PostgresServer.shared.database()
        let place = try RingPlace(group: "absent")
        for connection in [empty.connection, empty.connection(as: nobody), store.database.connection(as: nobody)] {
            let repository = PostgreSQLKeyRepository(try ServerAddress(connection), place)
            let missing = try #require(failure { _ = try repository.load() })
            #expect(missing.code == .missing && missing.description.contains("keyroll init"))
        }
    }

    // MARK: By hand

    /// Statements, and who may run them: in the order reader, operator, owner, auditor, nobody.
    static let statements: [(sql: String, allowed: [Bool])] = [
        ("SELECT document FROM keyroll_ring.ring", [true, true, true, false, false]),
        ("SELECT document FROM keyroll_ring.ring_copy", [true, true, true, false, false]),
        ("SELECT * FROM keyroll_ring.ring_history", [false, false, true, true, false]),
        ("SELECT document FROM keyroll_ring.ring_aside", [false, false, true, false, false]),
        ("UPDATE keyroll_ring.ring SET mac = mac", [false, true, true, false, false]),
        ("UPDATE keyroll_ring.ring SET policy = '{}'", [false, false, true, false, false]),
        ("UPDATE keyroll_ring.ring SET sequence = sequence - 1", [false, false, true, false, false]),
        ("UPDATE keyroll_ring.ring SET sequence = sequence + 1", [false, true, true, false, false]),
        ("UPDATE keyroll_ring.ring SET group_name = 'x'", [false, false, false, false, false]),
        ("UPDATE keyroll_ring.ring SET group_identity = ''", [false, false, false, false, false]),
        ("UPDATE keyroll_ring.ring_copy SET mac = mac", [false, false, false, false, false]),
        ("INSERT INTO keyroll_ring.ring_copy SELECT * FROM keyroll_ring.ring", [false, false, false, false, false]),
        ("DELETE FROM keyroll_ring.ring", [false, false, true, false, false]),
        ("DELETE FROM keyroll_ring.ring_copy", [false, false, true, false, false]),
        ("TRUNCATE keyroll_ring.ring", [false, false, false, false, false]),
        ("UPDATE keyroll_ring.ring_history SET login = 'x'", [false, false, false, false, false]),
        ("DELETE FROM keyroll_ring.ring_history", [false, false, false, false, false]),
        ("TRUNCATE keyroll_ring.ring_history", [false, false, false, false, false]),
        (
            """
            INSERT INTO keyroll_ring.ring_history (change, group_name, sequence, policy, generations, document_digest)
            VALUES ('x', 'x', 1, '', '', '')
            """, [false, false, false, false, false]
        ),
        (
            "INSERT INTO keyroll_ring.ring_aside (reason, copy, group_name) VALUES ('x', 'x', 'another')",
            [false, false, false, false, false]
        ),
        (
            "INSERT INTO keyroll_ring.ring_aside (login, reason, copy, group_name) VALUES ('x', 'x', 'x', 'x')",
            [false, false, false, false, false]
        ),
        ("ALTER TABLE keyroll_ring.ring DISABLE ROW LEVEL SECURITY", [false, false, false, false, false]),
        ("ALTER TABLE keyroll_ring.ring DISABLE TRIGGER ALL", [false, false, false, false, false]),
        ("DROP TABLE keyroll_ring.ring_history", [false, false, false, false, false]),
        ("CREATE TABLE keyroll_ring.more (x int)", [false, false, false, false, false]),
        ("SELECT keyroll_ring.follow_ring()", [false, false, false, false, false]),
        ("SET ROLE keyroll_tables", [false, false, false, false, false]),
        (
            """
            CREATE POLICY mine ON keyroll_ring.ring USING (true)
            """, [false, false, false, false, false]
        ),
    ]

    @Test(arguments: statements.indices)
    func theServerEnforcesIt(index: Int) throws {
        let (sql, allowed) = Self.statements[index]
        let roles = [reader, `operator`, store.owner, auditor, nobody]
        for (role, isAllowed) in zip(roles, allowed) {
            // In a transaction that is thrown away.
            let session = try Session(ServerAddress(store.database.connection(as: role)))
            try session.run("BEGIN")
            let refused = failure { try session.run(sql) }
            #expect(isAllowed ? refused == nil : refused?.state == "42501", "\(role): \(sql): \(refused as Any)")
        }
    }

    /// Rights and rows: none of another group's in the same tables, with every role.
    @Test func groupsDoNotSeeOneAnother() throws {
        let other = try RingDatabase("Other ", beside: store)
        try other.create(rolls: 1)
        let members = [reader, `operator`, store.owner]
        for role in members {
            let address = try ServerAddress(store.database.connection(as: role))
            for table in RingDatabase.tables {
                let rows = try address.run("SELECT group_name FROM keyroll_ring.\(table)")
                #expect(rows.count == 1 && rows.text(0, 0) == store.group)
            }
            let repository = PostgreSQLKeyRepository(address, other.ring)
            #expect(failure { _ = try repository.load() }?.code == .notPermitted)
        }
        let before = try other.rows()
        // Whole tables: only one's own rows change.
        let owner = try ServerAddress(store.database.connection(as: store.owner))
        #expect(try owner.run("UPDATE keyroll_ring.ring SET policy = '{}'").changed == 1)
        #expect(try owner.run("DELETE FROM keyroll_ring.ring").changed == 1)
        #expect(
            try owner.run("SELECT 1 FROM keyroll_ring.ring_history WHERE group_name <> '\(store.group)'").count == 0)
        #expect(try other.rows() == before)
        #expect(try other.open().keyring.ring.active?.number == 1)
    }

    /// Who owns one group and operates another one has of each only the rights that are of that group.
    @Test func rightsDoNotAddUpAcrossGroups() throws {
        let other = try RingDatabase("Other ", beside: store)
        try other.create(rolls: 1)
        try store.database.run("GRANT \(store.ring.operator) TO \(other.owner)")
        let keeper = try RingKeeper.open(store.repository(as: other.owner), provider: store.provider)
        try keeper.roll()
        #expect(
            failure {
                try keeper.update {
                    $0.adopt(.init(cryptoperiod: 1, propagationDelay: 0, soakTime: 0, keepDeactivated: 0))
                }
            }?.code == .notPermitted)
        // And a reader of one who is an operator of the other.
        try store.database.run("REVOKE \(store.ring.operator) FROM \(other.owner)")
        try store.database.run("GRANT \(store.ring.reader) TO \(other.owner)")
        let reading = try RingKeeper.open(store.repository(as: other.owner), provider: store.provider)
        let refused = try #require(failure { _ = try reading.roll() })
        #expect(refused.code == .notPermitted && refused.description.contains("GRANT \(store.ring.operator) TO"))
        #expect(try store.open().keyring.ring.active?.number == 3)
    }
}
