/// One fact of an entry.
public enum AuditValue: Sendable, Equatable {
    /// Words.
    case text(String)
    /// A number.
    case number(Int64)
    /// True or false.
    case flag(Bool)
    /// Several lines.
    case list([String])
    /// Numbers by name.
    case counts([String: Int64])
}

/// What happened, for the log. Nothing secret belongs in here: no key, no plaintext.
public struct AuditEvent: Sendable {
    /// What kind of thing happened.
    public enum Kind: String, CaseIterable, Sendable {
        /// A secret was stored.
        case protect
        /// A secret was read.
        case unprotect
        /// A secret was deleted.
        case remove
        /// A secret got another name.
        case rename
        /// A job ended.
        case job
        /// Secrets that a job failed on, by name.
        case failedSecrets
        /// A key generation, a recipient or the signer changed.
        case key
        /// The policy changed.
        case policy
        /// Somebody asks for access.
        case accessRequest
        /// An approver agreed.
        case accessApproval
        /// An approver declined.
        case accessDenial
        /// A grant was taken back.
        case accessRevocation
        /// A grant ended by itself.
        case accessEnd
        /// Something was asked for and not given.
        case refusal
        /// The broker began.
        case brokerStart
        /// The broker ended.
        case brokerStop
        /// A signature over the log up to here.
        case checkpoint
        /// A line that a crash cut off was found at the end.
        case tornTail
        /// Lines could not be forwarded for a while.
        case forwarding
    }

    /// How it came out.
    public enum Outcome: String, Sendable {
        /// It was done.
        case done
        /// It is about to be done.
        case begun
        /// It is not permitted.
        case refused
        /// It did not work.
        case failed
    }

    /// What kind of thing happened.
    public var kind: Kind
    /// How it came out.
    public var outcome: Outcome
    /// Who did it.
    public var actor: AuditActor?
    /// The secret's name.
    public var secret: String?
    /// The grant that allowed it.
    public var grant: String?
    /// Who approved the grant.
    public var approvers: [String] = []
    /// Why.
    public var reason: String?
    /// What else is known, in this order.
    public var facts: [(name: String, value: AuditValue)] = []

    /// - Parameters:
    ///   - kind: what kind of thing happened.
    ///   - outcome: how it came out.
    ///   - actor: who did it.
    ///   - secret: the secret's name.
    ///   - grant: the grant that allowed it.
    ///   - approvers: who approved the grant.
    ///   - reason: why.
    ///   - facts: what else is known.
    public init(
        _ kind: Kind, _ outcome: Outcome, by actor: AuditActor?, secret: String? = nil, grant: String? = nil,
        approvers: [String] = [], reason: String? = nil, facts: [(name: String, value: AuditValue)] = []
    ) {
        self.kind = kind
        self.outcome = outcome
        self.actor = actor
        self.secret = secret
        self.grant = grant
        self.approvers = approvers
        self.reason = reason
        self.facts = facts
    }
}
