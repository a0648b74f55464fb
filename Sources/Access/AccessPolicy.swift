public import Cryptography

/// Who may do what in a key group: the roles, and how a person gets in for a time. An owner signs it.
public struct AccessPolicy: Sendable {
    /// The group's name.
    public var group: String
    /// The group's identity, so that it cannot be installed elsewhere.
    public var identity: Identity
    /// Counts the policies of a group; the next has to have a higher one.
    public var revision: UInt64
    /// Who signs the next policy.
    public var owners: [Certificate]
    /// Who has which role.
    public var roles: [Role: Members]
    /// Who may ask for elevated access.
    public var requesters: Members
    /// Who has to approve, in this order.
    public var levels: [ApprovalLevel]
    /// The longest grant, in seconds; at most ``hardMaximum``.
    public var maximumDuration: Int64
    /// How long a request may wait for its approvals, in seconds.
    public var maximumWait: Int64
    /// How many entries of the audit log there may be between two signed checkpoints.
    public var checkpointEvery: Int

    /// No grant lasts longer than a day.
    public static let hardMaximum: Int64 = 24 * 3600
    /// The most bytes that a policy's text has.
    public static let limit = 256 << 10

    /// - Parameters:
    ///   - group: the group's name.
    ///   - identity: its identity.
    ///   - revision: 1 or more.
    ///   - owners: at least one.
    ///   - roles: who has which.
    ///   - requesters: who may ask.
    ///   - levels: none where nobody can get in that way.
    ///   - maximumDuration: seconds, 4 hours by default.
    ///   - maximumWait: seconds, 24 hours by default.
    ///   - checkpointEvery: entries, 1,000 by default.
    /// - Throws: ``AccessError`` with `policy`.
    public init(
        group: String, identity: Identity, revision: UInt64, owners: [Certificate], roles: [Role: Members],
        requesters: Members = Members(), levels: [ApprovalLevel] = [], maximumDuration: Int64 = 4 * 3600,
        maximumWait: Int64 = 24 * 3600, checkpointEvery: Int = 1000
    ) throws {
        func refuse(_ detail: String) -> AccessError { AccessError(.policy, detail) }
        guard revision > 0 else { throw refuse("'revision' begins with 1") }
        guard !owners.isEmpty else {
            throw refuse("'owners' needs at least one certificate: who signs the next policy")
        }
        guard owners.allSatisfy({ $0.keyKind != nil }) else {
            throw refuse("an owner's key has to be RSA of 2048 bits or more, or P-256, P-384, P-521")
        }
        guard (1...Self.hardMaximum).contains(maximumDuration) else {
            throw refuse("'access.maximumDuration' has to be from 1s to 24h")
        }
        guard (1...30 * 86400).contains(maximumWait) else {
            throw refuse("'access.maximumWait' has to be from 1s to 30d")
        }
        guard (1...100_000).contains(checkpointEvery) else {
            throw refuse("'audit.checkpointEvery' has to be from 1 to 100000")
        }
        guard Set(levels.map(\.name)).count == levels.count else { throw refuse("two approval levels have one name") }
        // One key is one person: nobody counts twice by another name, nor by another certificate of the same key.
        var holders: [[UInt8]: String] = [:]
        for level in levels {
            guard (1...level.people.count).contains(level.approvals) else {
                throw refuse(
                    "level '\(level.name)' needs \(level.approvals) approvals and has \(level.people.count) people")
            }
            for approver in level.approvers {
                if let other = try holders.updateValue(
                    approver.user, forKey: approver.certificate.publicKeyFingerprint()),
                    other != approver.user
                {
                    throw refuse("'\(other)' and '\(approver.user)' have one key")
                }
            }
        }
        self.group = group
        self.identity = identity
        self.revision = revision
        self.owners = owners
        self.roles = roles
        self.requesters = requesters
        self.levels = levels
        self.maximumDuration = maximumDuration
        self.maximumWait = maximumWait
        self.checkpointEvery = checkpointEvery
    }

    /// Whether a user is an approver of any level.
    public func isApprover(_ user: String) -> Bool { levels.contains { $0.people.contains(user) } }
}

/// One step of an approval: so many of these people.
public struct ApprovalLevel: Sendable {
    /// Its name, such as "security".
    public var name: String
    /// How many approvals it takes.
    public var approvals: Int
    /// Whose count.
    public var approvers: [Approver]

    /// - Parameters:
    ///   - name: its name.
    ///   - approvals: how many it takes.
    ///   - approvers: whose count.
    /// - Throws: ``AccessError`` with `policy`.
    public init(name: String, approvals: Int, approvers: [Approver]) throws {
        guard !name.isEmpty, name.utf8.count <= 64, !name.contains(where: \.isNewline) else {
            throw AccessError(.policy, "an approval level needs a name of at most 64 bytes")
        }
        guard !approvers.isEmpty else { throw AccessError(.policy, "level '\(name)' has no approvers") }
        self.name = name
        self.approvals = approvals
        self.approvers = approvers
    }

    /// The people, whatever number of certificates each has.
    public var people: Set<String> { Set(approvers.map(\.user)) }
}

/// A person who approves, by a pinned certificate.
public struct Approver: Sendable {
    /// The user.
    public var user: String
    /// The certificate.
    public var certificate: Certificate

    /// - Parameters:
    ///   - user: the user.
    ///   - certificate: RSA or an elliptic curve.
    /// - Throws: ``AccessError`` with `policy`.
    public init(user: String, certificate: Certificate) throws {
        guard !user.isEmpty else { throw AccessError(.policy, "an approver needs a user") }
        guard certificate.keyKind != nil else {
            throw AccessError(
                .policy,
                "the certificate of '\(user)' has to hold an RSA key of 2048 bits or more, or P-256, P-384, P-521")
        }
        self.user = user
        self.certificate = certificate
    }
}
