import Access
import Files
import Testing

/// Every rule about approvals and grants, without a broker.
@Suite struct AccessCaseTests {
    private let parties: Parties
    private let policy: AccessPolicy
    private let start = Party.start

    init() throws {
        parties = try Parties()
        policy = try parties.policy()
    }

    private func newCase(by user: String = "eng", for duration: Int64 = 3600) throws -> AccessCase {
        AccessCase(try parties.request(policy, by: user, for: duration))
    }

    private func approve(
        _ entry: inout AccessCase, _ party: Party, at seconds: Int64 = 0, _ policy: AccessPolicy? = nil
    ) throws {
        try entry.approve(
            party.sign(entry.request.statement), policy: policy ?? self.policy, now: start + seconds)
    }

    private func expectRefusal(
        _ entry: AccessCase, _ party: Party, _ reason: String, at seconds: Int64 = 0, _ policy: AccessPolicy? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var changed = entry
        #expect(sourceLocation: sourceLocation) { try approve(&changed, party, at: seconds, policy) } throws: {
            ($0 as? AccessError)?.code == .refused && "\($0)".contains(reason)
        }
        #expect(changed == entry, "a refusal changes nothing", sourceLocation: sourceLocation)
    }

    /// Granted by ann, bob and leo at the start.
    private func granted(for duration: Int64 = 3600) throws -> AccessCase {
        var entry = try newCase(for: duration)
        for party in [parties.ann, parties.bob, parties.leo] { try approve(&entry, party) }
        return entry
    }

    @Test func levelsComeInOrderAndEachPersonOnce() throws {
        var entry = try newCase()
        #expect(entry.standing(policy, now: start) == .waiting(level: "security", have: 0, need: 2))
        expectRefusal(entry, parties.leo, "level 'security' has to approve first")
        expectRefusal(entry, parties.stranger, "nobody whose signature counts")
        try approve(&entry, parties.ann)
        #expect(entry.standing(policy, now: start) == .waiting(level: "security", have: 1, need: 2))
        expectRefusal(entry, parties.ann, "counts once")
        expectRefusal(entry, parties.annAgain, "counts once")
        expectRefusal(entry, parties.leo, "level 'security' has to approve first")
        try approve(&entry, parties.bob)
        #expect(entry.standing(policy, now: start) == .waiting(level: "legal", have: 0, need: 1))
        expectRefusal(entry, parties.eve, "level 'legal' has to approve first")
        try approve(&entry, parties.leo, at: 60)
        #expect(entry.standing(policy, now: start + 60) == .granted(until: start + 60 + 3600))
        expectRefusal(entry, parties.lea, "is granted", at: 60)
        #expect(entry.approvals.map(\.user) == ["ann", "bob", "leo"])
        #expect(entry.approvals.map(\.level) == ["security", "security", "legal"])
        try entry.verifySignatures()
    }

    @Test func nobodyApprovesTheOwnRequest() throws {
        let entry = try newCase(by: "eve")
        expectRefusal(entry, parties.eve, "does not approve the own request")
    }

    @Test func anApprovalFitsOneRequest() throws {
        var entry = try newCase()
        let other = try newCase()
        let signature = try parties.ann.sign(other.request.statement)
        #expect { try entry.approve(signature, policy: policy, now: start) } throws: {
            "\($0)".contains("does not fit this text")
        }
        // Nor where the signed text comes with it.
        let whole = try parties.ann.sign(other.request.statement, isDetached: false)
        #expect { try entry.approve(whole, policy: policy, now: start) } throws: {
            ($0 as? AccessError)?.code == .refused
        }
        #expect(entry.approvals.isEmpty)
    }

    /// Every byte of the statement is signed.
    @Test func anAlteredStatementIsNotApproved() throws {
        var entry = try newCase()
        let bytes = Array(entry.request.statement.utf8)
        for index in stride(from: 0, to: bytes.count, by: 7) {
            var other = bytes
            other[index] ^= 1
            let signature = try parties.ann.sign(String(decoding: other, as: UTF8.self))
            #expect(throws: AccessError.self) { try entry.approve(signature, policy: policy, now: start) }
        }
        for junk in [[], [0x30], Array("-----BEGIN CMS-----\n-----END CMS-----\n".utf8), bytes] as [[UInt8]] {
            #expect(throws: AccessError.self) { try entry.approve(junk, policy: policy, now: start) }
        }
        #expect(entry.approvals.isEmpty)
    }

    @Test func certificatesHaveToBeValid() throws {
        let old = try Party("ann", from: start.rawValue - 500 * 86400, years: 1)
        let future = try Party("bob", from: start.rawValue + 86400)
        let policy = try parties.policy(security: [("ann", old), ("bob", future)], needs: 1)
        let entry = AccessCase(try parties.request(policy))
        expectRefusal(entry, old, "has expired", policy)
        expectRefusal(entry, future, "not valid yet", policy)
    }

    @Test func aGrantEndsByItself() throws {
        let entry = try granted()
        #expect(entry.standing(policy, now: start + 3599) == .granted(until: start + 3600))
        #expect(entry.standing(policy, now: start + 3600) == .over)
        // A policy that became stricter shortens it.
        let strict = try parties.policy(revision: 2, maximumDuration: 60)
        #expect(entry.standing(strict, now: start + 59) == .granted(until: start + 60))
        #expect(entry.standing(strict, now: start + 60) == .over)
    }

    @Test func aRequestWaitsOnlySoLong() throws {
        var entry = try newCase()
        try approve(&entry, parties.ann)
        try approve(&entry, parties.bob)
        let wait = policy.maximumWait
        #expect(entry.standing(policy, now: start + (wait - 1)) == .waiting(level: "legal", have: 0, need: 1))
        #expect(entry.standing(policy, now: start + wait) == .expired)
        expectRefusal(entry, parties.leo, "is expired", at: wait)
    }

    /// By another certificate, by fewer people, by nobody: what somebody approved who is no approver now lapses.
    @Test func whoeverIsNoApproverAnyMoreDoesNotCount() throws {
        let entry = try granted()
        let other = try Party("ann")
        for security in [
            [("ann", other), ("bob", parties.bob), ("eve", parties.eve)], [("bob", parties.bob), ("eve", parties.eve)],
            [("zoe", parties.ann), ("bob", parties.bob), ("eve", parties.eve)],
        ] {
            let revoked = try parties.policy(security: security, revision: 2)
            #expect(entry.standing(revoked, now: start + 1) == .lapsed)
        }
        // On another level it was not asked for.
        let moved = try parties.policy(
            security: [("leo", parties.leo), ("bob", parties.bob)], legal: [("ann", parties.ann)], revision: 2)
        #expect(entry.standing(moved, now: start + 1) == .lapsed)
        // One approval is enough now: those that are left do.
        let fewer = try parties.policy(security: [("bob", parties.bob)], needs: 1, revision: 2)
        #expect(entry.standing(fewer, now: start + 1) == .granted(until: start + 3600))
        // Before it is granted, the count goes down.
        var waiting = try newCase()
        try approve(&waiting, parties.ann)
        let without = try parties.policy(security: [("bob", parties.bob), ("eve", parties.eve)], revision: 2)
        #expect(waiting.standing(without, now: start) == .waiting(level: "security", have: 0, need: 2))
        // Nobody gets in once a policy has no levels.
        let closed = try AccessPolicy(
            group: "mail", identity: parties.identity, revision: 2, owners: [parties.owner.certificate], roles: [:])
        #expect(entry.standing(closed, now: start + 1) == .lapsed)
        #expect(waiting.standing(closed, now: start + 1) == .lapsed)
    }

    @Test func denialsAndRevocations() throws {
        var denied = try newCase()
        try denied.finish(.denied, by: "ann", reason: "no", policy: policy, now: start)
        #expect(denied.standing(policy, now: start) == .denied)
        expectRefusal(denied, parties.ann, "is denied")
        #expect(throws: AccessError.self) {
            try denied.finish(.revoked, by: "ann", reason: "no", policy: policy, now: start)
        }
        var revoked = try granted()
        #expect { try revoked.finish(.denied, by: "ann", reason: "no", policy: policy, now: start) } throws: {
            "\($0)".contains("granted already")
        }
        try revoked.finish(.revoked, by: "ann", reason: "no", policy: policy, now: start)
        #expect(revoked.standing(policy, now: start) == .revoked)
        #expect(revoked.end?.user == "ann" && revoked.end?.kind == .revoked)
        var over = try granted()
        #expect(throws: AccessError.self) {
            try over.finish(.revoked, by: "ann", reason: "no", policy: policy, now: start + 3600)
        }
    }

    @Test func keptSignaturesAreCheckedAgain() throws {
        let entry = try granted()
        var approvals = entry.approvals
        approvals[1].user = "ann"
        // Names are under the folder's MAC; signatures stand for themselves.
        try AccessCase(entry.request, approvals: approvals, granted: start, end: nil).verifySignatures()
        approvals[1].signature[approvals[1].signature.count - 3] ^= 1
        #expect {
            try AccessCase(entry.request, approvals: approvals, granted: start, end: nil).verifySignatures()
        } throws: { ($0 as? AccessError)?.code == .altered }
        var request = entry.request
        request.duration += 1
        #expect {
            try AccessCase(request, approvals: entry.approvals, granted: start, end: nil).verifySignatures()
        } throws: { ($0 as? AccessError)?.code == .altered }
    }

    /// Approvals in any order and number: a grant is there exactly when two of security came first, and then one of legal.
    @Test func randomApprovals() throws {
        let people = [
            ("ann", parties.ann), ("ann", parties.annAgain), ("bob", parties.bob), ("eve", parties.eve),
            ("leo", parties.leo), ("lea", parties.lea), ("-", parties.stranger),
        ]
        for _ in 0..<60 {
            let user = Bool.random() ? "eng" : "eve"
            var entry = try newCase(by: user)
            var first: Set<String> = []
            var isGranted = false
            for _ in 0..<10 {
                let (name, party) = people.randomElement()!
                let isSecurity = ["ann", "bob", "eve"].contains(name)
                let counts =
                    !isGranted && name != "-" && name != user && !first.contains(name)
                    && (first.count < 2 ? isSecurity : !isSecurity)
                if counts {
                    try approve(&entry, party)
                    isGranted = first.count == 2
                    first.insert(name)
                } else {
                    #expect(throws: AccessError.self) { try approve(&entry, party) }
                }
                #expect((entry.granted != nil) == isGranted)
            }
        }
    }
}
