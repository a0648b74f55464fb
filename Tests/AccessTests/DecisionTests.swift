import Access
import Files
import Testing

@Suite struct DecisionTests {
    private let parties: Parties
    private let policy: AccessPolicy
    private let rules: AccessRules
    private let start = Party.start
    private static let accounts = Accounts(
        user: { ["app": 10, "boss": 20, "eng": 1000][$0] }, group: { ["apps": 50][$0] })

    init() throws {
        parties = try Parties()
        policy = try parties.policy()
        rules = AccessRules(policy, accounts: Self.accounts)
    }

    private func granted(_ secrets: String, _ operation: Access.Operation = .unprotect) throws -> AccessCase {
        var entry = AccessCase(try parties.request(policy, secrets, to: operation))
        for party in [parties.ann, parties.bob, parties.leo] {
            try entry.approve(party.sign(entry.request.statement), policy: policy, now: start)
        }
        return entry
    }

    @Test func rolesGoByNumber() {
        let app = Parties.caller("whatever", uid: 10)
        let member = Parties.caller("other", uid: 11, groups: [7, 50])
        let outsider = Parties.caller("app", uid: 12, groups: [7])
        for caller in [app, member] {
            #expect(rules.roles(of: caller) == [.reader])
            #expect(rules.decide(.unprotect, secret: "s", by: caller, cases: [], now: start) == .role(.reader))
            #expect(rules.decide(.list, by: caller, cases: [], now: start) == .role(.reader))
        }
        // A name that says so is not enough.
        #expect(rules.roles(of: outsider).isEmpty && !rules.knows(outsider))
        for operation in Access.Operation.allCases {
            guard case .refused = rules.decide(operation, secret: "s", by: outsider, cases: [], now: start) else {
                Issue.record("\(operation)")
                continue
            }
        }
    }

    /// Who may what, as the issue says.
    @Test(arguments: Role.allCases) func noRoleDoesMoreThanItsOwn(_ role: Role) throws {
        let expected: [Role: Set<Access.Operation>] = [
            .owner: [.list, .inspect, .audit, .policy], .operator: [.list, .job, .inspect],
            .reader: [.list, .unprotect], .writer: [.list, .protect, .remove, .rename],
            .auditor: [.list, .inspect, .audit],
        ]
        let policy = try AccessPolicy(
            group: "mail", identity: parties.identity, revision: 1, owners: [parties.owner.certificate],
            roles: [role: Members(users: ["app"])])
        let rules = AccessRules(policy, accounts: Self.accounts)
        let may = Access.Operation.allCases.filter {
            rules.decide($0, secret: "s", by: Parties.caller(uid: 10), cases: [], now: start) == .role(role)
        }
        #expect(Set(may) == expected[role])
    }

    @Test func aGrantHasAScope() throws {
        let entry = try granted("mail/*")
        let caller = Parties.caller()
        func decide(_ operation: Access.Operation, _ secret: String?, _ caller: Caller, _ seconds: Int64 = 1) -> Bool {
            guard
                case .grant(let id, let approvers) = rules.decide(
                    operation, secret: secret, by: caller, cases: [entry], now: start + seconds)
            else { return false }
            return id == entry.request.id && approvers == ["ann", "bob", "leo"]
        }
        #expect(decide(.unprotect, "mail/alice", caller))
        #expect(!decide(.unprotect, "db/alice", caller))
        #expect(!decide(.unprotect, nil, caller))
        #expect(!decide(.protect, "mail/alice", caller))
        #expect(!decide(.remove, "mail/alice", caller) && !decide(.job, "mail/alice", caller))
        // Of somebody else.
        #expect(!decide(.unprotect, "mail/alice", Parties.caller("eng", uid: 1001)))
        #expect(decide(.unprotect, "mail/alice", caller, 3599) && !decide(.unprotect, "mail/alice", caller, 3600))
    }

    /// A grant that is over does not hide one that holds.
    @Test func anyGrantThatHoldsIsEnough() throws {
        var revoked = try granted("mail/*")
        try revoked.finish(.revoked, by: "ann", reason: "no", policy: policy, now: start)
        let holds = try granted("mail/a*")
        for cases in [[revoked, holds], [holds, revoked]] {
            let decision = rules.decide(
                .unprotect, secret: "mail/a", by: Parties.caller(), cases: cases, now: start + 1)
            #expect(decision == .grant(id: holds.request.id, approvers: ["ann", "bob", "leo"]))
        }
        guard
            case .refused(let reason) = rules.decide(
                .unprotect, secret: "mail/a", by: Parties.caller(), cases: [revoked], now: start + 1)
        else { return #expect(Bool(false)) }
        #expect(reason.contains("is revoked"))
    }
}
