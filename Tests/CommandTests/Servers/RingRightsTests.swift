import Foundation
import TestServers
import Testing

/// Several hosts and one ring: each does what its role may, and the server says no to the rest.
@Suite struct RingRightsTests {
    private let ring: RingHome
    private let secrets = Secrets(30)

    init() throws {
        ring = try RingHome()
        try ring.home.fill(secrets)
    }

    /// A home that is a configuration and a root key: what an application's host needs.
    @Test func readersProtectAndUnprotect() throws {
        let host = try ring.host(as: ring.login("app", ring.reader))
        #expect(try host.secrets() == secrets)
        try host("put", "new", input: Data("value".utf8))
        #expect(try ring.keyroll("get", "new").text == "value")
        try host("verify")
        try host("list")
        // A roll elsewhere is seen at once.
        try ring.keyroll("rotate", "--force")
        try host("put", "newer", input: Data("value".utf8))
        #expect(try ring.home.census().counts == [2: 32])
        let before = try ring.rows()
        let refused = try host.run(["rotate", "--force"])
        #expect(refused.code == 77)
        refused.expectRefusal("may not change the ring of group \(ring.group)", "GRANT \(ring.operator) TO")
        #expect(try host.run(["generation", "create"]).code == 77)
        #expect(try ring.rows() == before)
    }

    @Test func operatorsRotateAndLeaveThePolicy() throws {
        let role = try ring.login("night", ring.operator)
        let mine = try ring.configuration(ring.database.connection(as: role))
        try mine.write(toFile: ring.home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
        let report: Report = try ring.keyroll("rotate", "--force", "--json").decoded()
        #expect(report.moved == 30 && report.generation == 2)
        let before = try ring.rows()
        try ring.home.setPolicy(["cryptoperiod": "1d"])
        let refused = try ring.keyroll.run(["rotate"])
        #expect(refused.code == 77)
        #expect(refused.errors.contains("may not change the policy of group \(ring.group)"))
        #expect(try ring.rows() == before)
        // An owner takes it over, and the operator goes on.
        try ring.database.run("GRANT \(ring.owner) TO \(role)")
        try ring.keyroll("rotate")
        try ring.database.run("REVOKE \(ring.owner) FROM \(role)")
        try ring.keyroll("rotate", "--force")
        try ring.home.expectContents(secrets)
    }

    @Test func othersGetOneClearLine() throws {
        for role in [try ring.login("auditor", ring.auditor), try ring.login("nobody")] {
            let host = try ring.host(as: role)
            for words in [["get", "x"], ["status"], ["rotate"], ["verify"]] {
                let refused = try host.run(words)
                #expect(refused.code == 77)
                refused.expectRefusal(
                    "role \(role) may not read the ring of group \(ring.group)", "GRANT \(ring.reader) TO \(role)")
            }
        }
        let unknown = try ring.host(as: "keyroll_no_such_role").run(["list"])
        #expect(unknown.code == 77)
        unknown.expectRefusal("keyroll_no_such_role")
    }

    @Test func serversThatAreAway() throws {
        let role = try ring.login("app", ring.reader)
        let host = try ring.host(as: role)
        let path = host.home + "/keyroll.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let server = ring.database.server
        for (connection, code) in [
            ("host=/nonexistent dbname=x", 69), (server.connection("no_such_database"), 69),
            (server.connection("postgres"), 69), ("nonsense", 78), ("host=/x password=y", 78),
        ] as [(String, Int32)] {
            try text.replacingOccurrences(of: ring.database.connection(as: role), with: connection).write(
                toFile: path, atomically: false, encoding: .utf8)
            let outcome = try host.run(["list"])
            #expect(outcome.code == code, "\(connection): \(outcome.errors)")
            outcome.expectRefusal()
        }
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try host.secrets() == secrets)
    }

    /// A configuration that nobody meant is refused with its line.
    @Test(arguments: [
        ("kind: postgres", "kind: oracle", "'repository.kind' has to be sqlite or postgres"),
        ("  schema: keyroll_ring", "  schema: Keyroll-Ring", "schema has to be"),
        ("  schema: keyroll_ring", "  scheme: keyroll_ring", "'repository.scheme' is not known here"),
        ("  timeout: 1m", "  timeout: 0s", "longer than nothing"),
        ("kind: postgres", "kind: sqlite", "not known here"),
    ])
    func configurationMistakes(line: String, mistake: String, phrase: String) throws {
        let host = try ring.host(as: ring.login("app", ring.reader))
        let path = host.home + "/keyroll.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(line))
        try text.replacingOccurrences(of: line, with: mistake).write(toFile: path, atomically: false, encoding: .utf8)
        let outcome = try host.run(["list"])
        #expect(outcome.code == 78)
        outcome.expectRefusal("keyroll.yaml:", phrase)
    }

    /// What auditors read is what happened, without a key or a secret.
    @Test func auditorsFollow() throws {
        try ring.keyroll("rotate", "--force")
        let auditor = try ring.login("auditor", ring.auditor)
        let who = try ring.database.run(
            "SELECT DISTINCT login, group_name FROM keyroll_ring.ring_history", as: auditor)
        #expect(who == [[ring.login, ring.group]])
        let state = try ring.database.run(
            "SELECT generations::json -> 1 ->> 'state' FROM keyroll_ring.ring_history ORDER BY id DESC LIMIT 1",
            as: auditor)
        #expect(state == [["active"]])
    }
}
