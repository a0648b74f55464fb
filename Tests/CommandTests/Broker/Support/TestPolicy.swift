import Foundation

/// A policy of access, to be written as YAML and signed.
struct TestPolicy: Sendable {
    struct Level: Sendable {
        var name: String
        var approvals = 1
        /// Users, and whose certificate each has.
        var approvers: [(user: TestUser, certificate: String)]
    }

    var group = "mail"
    var revision = 1
    var owners = ["owner"]
    var users: [String: [String]] = [
        "owner": [TestUser.owner.rawValue], "operator": [TestUser.operator.rawValue],
        "auditor": [TestUser.auditor.rawValue],
    ]
    var groups: [String: [String]] = ["reader": [TestUser.services], "writer": [TestUser.services]]
    var requesters = [TestUser.engineer.rawValue]
    var levels = [
        Level(name: "security", approvers: [(.security, "security"), (.guardian, "guardian")]),
        Level(name: "legal", approvers: [(.legal, "legal")]),
    ]
    /// Lines of the part `access`, such as `maximumDuration: 1h`.
    var limits: [String] = []

    /// The usual one, in which this process, root, is a service as well.
    static var servingRoot: TestPolicy {
        var policy = TestPolicy()
        policy.users["reader"] = ["root"]
        policy.users["writer"] = ["root"]
        return policy
    }

    /// One level of one person; grants last as long as is asked.
    static var simple: TestPolicy {
        var policy = TestPolicy()
        policy.levels = [Level(name: "security", approvers: [(.security, "security")])]
        return policy
    }

    func next(_ change: (inout TestPolicy) -> Void) -> TestPolicy {
        var policy = self
        policy.revision += 1
        change(&policy)
        return policy
    }

    func yaml(identity: String) throws -> String {
        let signers = try Signers.shared.get()
        func pem(_ name: String, _ indent: Int) throws -> String {
            try signers.certificate(name).split(separator: "\n")
                .map { String(repeating: " ", count: indent) + $0 + "\n" }.joined()
        }
        var text = "format: 1\ngroup: \(group)\nidentity: \"\(identity)\"\nrevision: \(revision)\nowners:\n"
        for owner in owners { text += "  - |\n" + (try pem(owner, 4)) }
        text += "roles:\n"
        for role in ["owner", "operator", "reader", "writer", "auditor"] {
            let parts = [("users", users[role] ?? []), ("groups", groups[role] ?? [])]
            let lists = parts.map { "\($0.0): [\($0.1.joined(separator: ", "))]" }
            text += "  \(role): {\(lists.joined(separator: ", "))}\n"
        }
        text += "access:\n  requesters: {users: [\(requesters.joined(separator: ", "))]}\n"
        for limit in limits { text += "  \(limit)\n" }
        text += "  levels:\n"
        for level in levels {
            text += "    - name: \(level.name)\n      approvals: \(level.approvals)\n      approvers:\n"
            for (user, certificate) in level.approvers {
                text += "        - user: \(user.rawValue)\n          certificate: |\n" + (try pem(certificate, 12))
            }
        }
        return text
    }
}
