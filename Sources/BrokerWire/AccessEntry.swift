/// A request for access as it goes over the socket, and as `keyroll access list --json` prints it.
public struct AccessEntry: Codable, Sendable {
    /// One approval.
    public struct Approval: Codable, Sendable {
        /// The approver.
        public var user: String
        /// The level it was given on.
        public var level: String
        /// When, RFC 3339.
        public var at: String

        /// - Parameters:
        ///   - user: the approver.
        ///   - level: the level it was given on.
        ///   - at: when, RFC 3339.
        public init(user: String, level: String, at: String) {
            self.user = user
            self.level = level
            self.at = at
        }
    }

    /// An end before its time.
    public struct End: Codable, Sendable {
        /// `denied` or `revoked`.
        public var kind: String
        /// By whom.
        public var user: String
        /// Why.
        public var reason: String
        /// When, RFC 3339.
        public var at: String

        /// - Parameters:
        ///   - kind: `denied` or `revoked`.
        ///   - user: by whom.
        ///   - reason: why.
        ///   - at: when, RFC 3339.
        public init(kind: String, user: String, reason: String, at: String) {
            self.kind = kind
            self.user = user
            self.reason = reason
            self.at = at
        }
    }

    /// The request's identity.
    public var id: String
    /// Where it stands, in one word.
    public var standing: String
    /// The level whose turn it is, and how many of how many approved.
    public var waitsFor: String?
    /// When a grant ends, RFC 3339.
    public var until: String?
    /// Who asks.
    public var requester: String
    /// What for: `unprotect` or `protect`.
    public var operation: String
    /// Which secrets: a pattern of names.
    public var secrets: String
    /// For how long, in seconds.
    public var seconds: Int64
    /// Why.
    public var reason: String
    /// When it was asked, RFC 3339.
    public var requested: String
    /// Until when it may wait for approvals, RFC 3339.
    public var expires: String
    /// Who approved, in order.
    public var approvals: [Approval]
    /// Who ended it, if somebody did.
    public var end: End?
    /// The text that approvers sign.
    public var statement: String

    /// Everything that is told of a request.
    public init(
        id: String, standing: String, waitsFor: String?, until: String?, requester: String, operation: String,
        secrets: String, seconds: Int64, reason: String, requested: String, expires: String, approvals: [Approval],
        end: End?, statement: String
    ) {
        self.id = id
        self.standing = standing
        self.waitsFor = waitsFor
        self.until = until
        self.requester = requester
        self.operation = operation
        self.secrets = secrets
        self.seconds = seconds
        self.reason = reason
        self.requested = requested
        self.expires = expires
        self.approvals = approvals
        self.end = end
        self.statement = statement
    }
}
