import Access
import Cryptography
import Files

/// People with keys and certificates, and policies of them.
struct Party: Sendable {
    let certificate: Certificate
    let key: PrivateKey

    static let start = Timestamp(rawValue: 1_800_000_000)

    init(_ name: String, from moment: Int64 = start.rawValue - 1000, years: Int64 = 10) throws {
        key = try PrivateKey.generate()
        certificate = try Certificate.selfSigned(key, name: name, usage: .signing, from: moment, years: years)
    }

    func sign(_ text: String, isDetached: Bool = true) throws -> [UInt8] {
        try SignedMessage.sign(Array(text.utf8), by: certificate, key, isDetached: isDetached)
    }
}

/// One policy's people: security (two of three), then legal (one of two).
struct Parties {
    let owner: Party
    let ann: Party
    /// Another certificate of the same person.
    let annAgain: Party
    let bob: Party
    let eve: Party
    let leo: Party
    let lea: Party
    let stranger: Party
    let identity: Identity

    init() throws {
        owner = try Party("owner")
        ann = try Party("ann")
        annAgain = try Party("ann")
        bob = try Party("bob")
        eve = try Party("eve")
        leo = try Party("leo")
        lea = try Party("lea")
        stranger = try Party("stranger")
        identity = try Identity.random()
    }

    var security: [(String, Party)] { [("ann", ann), ("ann", annAgain), ("bob", bob), ("eve", eve)] }
    var legal: [(String, Party)] { [("leo", leo), ("lea", lea)] }

    func policy(
        security: [(String, Party)]? = nil, legal: [(String, Party)]? = nil, needs: Int = 2, revision: UInt64 = 1,
        maximumDuration: Int64 = 4 * 3600
    ) throws -> AccessPolicy {
        func level(_ name: String, _ needs: Int, _ people: [(String, Party)]) throws -> ApprovalLevel {
            try ApprovalLevel(
                name: name, approvals: needs,
                approvers: people.map { try Approver(user: $0.0, certificate: $0.1.certificate) })
        }
        return try AccessPolicy(
            group: "mail", identity: identity, revision: revision, owners: [owner.certificate],
            roles: [.reader: Members(users: ["app"], groups: ["apps"]), .owner: Members(users: ["boss"])],
            requesters: Members(users: ["eng", "eve"]),
            levels: [
                level("security", needs, security ?? self.security), level("legal", 1, legal ?? self.legal),
            ], maximumDuration: maximumDuration)
    }

    static func caller(_ user: String = "eng", uid: UInt32 = 1000, groups: [UInt32] = []) -> Caller {
        Caller(uid: uid, user: user, groups: groups, pid: 1, executable: "/bin/true")
    }

    func request(
        _ policy: AccessPolicy, _ secrets: String = "mail/*", by user: String = "eng", for duration: Int64 = 3600,
        to operation: Access.Operation = .unprotect, reason: String = "ticket 7"
    ) throws -> AccessRequest {
        try AccessRequest(
            by: Self.caller(user), operation, secrets: NamePattern(secrets), for: duration, reason: reason,
            policy: policy, now: Party.start)
    }
}
