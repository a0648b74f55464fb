import Access
import Cryptography
import Testing

@Suite struct AccessPolicyTests {
    private func expectRefusal(
        _ phrase: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> AccessPolicy
    ) {
        #expect(sourceLocation: sourceLocation) { _ = try body() } throws: {
            ($0 as? AccessError)?.code == .policy && "\($0)".contains(phrase)
        }
    }

    @Test func whatIsRefused() throws {
        let parties = try Parties()
        expectRefusal("'access.maximumDuration'") { try parties.policy(maximumDuration: 24 * 3600 + 1) }
        expectRefusal("'access.maximumDuration'") { try parties.policy(maximumDuration: 0) }
        expectRefusal("'revision'") { try parties.policy(revision: 0) }
        // Two certificates do not make two people.
        expectRefusal("2 approvals and has 1 people") {
            try parties.policy(security: [("ann", parties.ann), ("ann", parties.annAgain)])
        }
        // Nor do two names with one certificate.
        expectRefusal("have one key") {
            try parties.policy(security: [("ann", parties.ann), ("bob", parties.ann)])
        }
        expectRefusal("have one key") { try parties.policy(legal: [("leo", parties.ann)]) }
        // Nor does another certificate of the same key.
        let again = try Certificate.selfSigned(
            parties.ann.key, name: "bob", usage: .signing, from: 1_700_000_000, years: 40)
        #expect(again != parties.ann.certificate)
        expectRefusal("have one key") {
            try AccessPolicy(
                group: "mail", identity: parties.identity, revision: 1, owners: [parties.owner.certificate], roles: [:],
                levels: [
                    ApprovalLevel(
                        name: "security", approvals: 2,
                        approvers: [
                            Approver(user: "ann", certificate: parties.ann.certificate),
                            Approver(user: "bob", certificate: again),
                        ])
                ])
        }
        expectRefusal("'owners'") {
            try AccessPolicy(group: "mail", identity: parties.identity, revision: 1, owners: [], roles: [:])
        }
        expectRefusal("has no approvers") { try parties.policy(legal: []) }
        #expect(try parties.policy(maximumDuration: 24 * 3600).maximumDuration == AccessPolicy.hardMaximum)
    }
}
