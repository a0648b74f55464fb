import Files
import KeyManagement
import PostgreSQL
import TestServers
import Testing

/// What auditors see: every change, in clear, with who made it, and not to be altered.
@Suite struct HistoryTests {
    private let store: RingDatabase

    init() throws { store = try RingDatabase() }

    private func history(as role: String) throws -> [[String?]] {
        try store.database.run(
            """
            SELECT change, sequence, login, policy::json ->> 'cryptoperiod',
                (SELECT string_agg((g ->> 'number') || ' ' || (g ->> 'state'), ',') FROM json_array_elements(generations::json) g)
            FROM keyroll_ring.ring_history ORDER BY id
            """, as: role)
    }

    @Test func everyChangeIsInIt() throws {
        let auditor = try store.login("auditor", store.ring.auditor)
        let member = try store.login("operator", store.ring.operator)
        try store.create(policy: Policy(cryptoperiod: 77, propagationDelay: 0, soakTime: 0, keepDeactivated: 0))
        try store.open(as: member).roll()
        try store.open().update { $0.adopt(.standard) }
        let days = String(90 * 86400)
        #expect(
            try history(as: auditor) == [
                ["insert", "0", store.owner, "77", nil], ["update", "1", member, "77", "1 pre-activation"],
                ["update", "2", member, "77", "1 pre-activation"], ["update", "3", member, "77", "1 active"],
                ["update", "4", store.owner, days, "1 active"],
            ])
        // What was refused is not there, and what was deleted is.
        _ = failure {
            try store.open(as: member).update {
                $0.adopt(.init(cryptoperiod: 1, propagationDelay: 0, soakTime: 0, keepDeactivated: 0))
            }
        }
        #expect(try history(as: auditor).count == 5)
        try store.database.run("DELETE FROM keyroll_ring.ring", as: store.owner)
        #expect(try history(as: auditor).last?.prefix(3) == ["delete", "4", store.owner])
    }

    /// A slip of the hand: the row goes aside, and the second copy serves.
    @Test func aDeletedRingComesBack() throws {
        let keeper = try store.create(rolls: 2)
        try store.database.run("DELETE FROM keyroll_ring.ring", as: store.owner)
        #expect(try store.aside() == [["deleted", "ring"]])
        let again = try store.open()
        #expect(again.keyring.ring == keeper.keyring.ring && again.repaired.count == 1)
        #expect(try store.rows()[0] == store.rows()[1])
        // Also from aside, by an owner.
        try store.database.run("DELETE FROM keyroll_ring.ring; DELETE FROM keyroll_ring.ring_copy", as: store.owner)
        #expect(failure { _ = try store.open() }?.code == .missing)
        try store.database.run(
            """
            INSERT INTO keyroll_ring.ring SELECT group_name, format, sequence, group_identity, root_key_check,
                root_key_parameters, document, mac, policy, generations
            FROM keyroll_ring.ring_aside ORDER BY id DESC LIMIT 1
            """, as: store.owner)
        #expect(try store.open().keyring.ring == keeper.keyring.ring)
    }
}
