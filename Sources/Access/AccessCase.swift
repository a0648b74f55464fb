import Cryptography
public import Files

/// A request and what became of it. A pure value: every rule about approvals and grants is here.
public struct AccessCase: Sendable, Equatable {
    /// What was asked.
    public let request: AccessRequest
    /// Who approved, in order.
    public private(set) var approvals: [Approval] = []
    /// When the last approval that was needed came.
    public private(set) var granted: Timestamp?
    /// Who denied or revoked it, when and why.
    public private(set) var end: End?

    /// One approval.
    public struct Approval: Sendable, Equatable {
        /// The approver.
        public var user: String
        /// The level it was given on.
        public var level: String
        /// The certificate whose key signed, DER.
        public var certificate: [UInt8]
        /// The signature: CMS SignedData, DER.
        public var signature: [UInt8]
        /// When it was handed in.
        public var at: Timestamp
    }

    /// An end before its time.
    public struct End: Sendable, Equatable {
        /// Before it was granted, or after.
        public enum Kind: String, Sendable {
            /// Turned down.
            case denied
            /// Taken back.
            case revoked
        }
        /// Which.
        public var kind: Kind
        /// By whom.
        public var user: String
        /// Why.
        public var reason: String
        /// When.
        public var at: Timestamp
    }

    /// Where a request stands.
    public enum Standing: Sendable, Equatable {
        /// Waits for approvals of a level.
        case waiting(level: String, have: Int, need: Int)
        /// Holds until a moment.
        case granted(until: Timestamp)
        /// Was turned down.
        case denied
        /// Was taken back.
        case revoked
        /// Nobody approved it in time.
        case expired
        /// Its time is over.
        case over
        /// Somebody who approved it may not any more.
        case lapsed

        /// One word.
        public var word: String {
            switch self {
            case .waiting: "waiting"
            case .granted: "granted"
            case .denied: "denied"
            case .revoked: "revoked"
            case .expired: "expired"
            case .over: "over"
            case .lapsed: "lapsed"
            }
        }
    }

    /// A request that nobody has looked at.
    public init(_ request: AccessRequest) { self.request = request }

    /// A case as it was kept.
    public init(_ request: AccessRequest, approvals: [Approval], granted: Timestamp?, end: End?) {
        self.request = request
        self.approvals = approvals
        self.granted = granted
        self.end = end
    }

    /// Where it stands.
    ///
    /// - Parameters:
    ///   - policy: the present one: an approval by somebody who is no approver any more does not count.
    ///   - now: by a clock that does not run backwards.
    public func standing(_ policy: AccessPolicy, now: Timestamp) -> Standing {
        if let end { return end.kind == .denied ? .denied : .revoked }
        let open = openLevel(policy)
        guard let granted else {
            guard now < request.expires else { return .expired }
            // With fewer levels than before it is complete already and waits for nobody; a new request is as quick.
            guard let open else { return .lapsed }
            return .waiting(level: open.name, have: approved(open), need: open.approvals)
        }
        let until = granted + min(request.duration, policy.maximumDuration, AccessPolicy.hardMaximum)
        guard now < until else { return .over }
        return open == nil && !policy.levels.isEmpty ? .granted(until: until) : .lapsed
    }

    /// The first level that is not complete.
    private func openLevel(_ policy: AccessPolicy) -> ApprovalLevel? {
        policy.levels.first { approved($0) < $0.approvals }
    }

    /// How many people approved on a level by a certificate that still counts.
    private func approved(_ level: ApprovalLevel) -> Int {
        Set(
            approvals.filter { approval in
                approval.level == level.name
                    && level.approvers.contains {
                        $0.user == approval.user && $0.certificate.der == approval.certificate
                    }
            }.map(\.user)
        ).count
    }

    /// Takes an approval, or says why not.
    ///
    /// - Parameters:
    ///   - message: the CMS signature over the request's statement.
    ///   - policy: the present one.
    ///   - now: by a clock that does not run backwards.
    ///   - clock: the machine's own, which certificates' dates are held against; nil for `now`.
    /// - Returns: the approval; ``granted`` is set where it was the last that was needed.
    /// - Throws: ``AccessError`` with `refused`.
    @discardableResult
    public mutating func approve(_ message: [UInt8], policy: AccessPolicy, now: Timestamp, clock: Timestamp? = nil)
        throws
        -> Approval
    {
        let standing = standing(policy, now: now)
        guard case .waiting = standing, let open = openLevel(policy) else {
            throw AccessError(.refused, "request \(request.id) is \(standing.word); there is nothing to approve")
        }
        let everybody = policy.levels.flatMap(\.approvers)
        let (der, signer) = try ApprovalSignature.check(
            message, of: Array(request.statement.utf8), trusted: everybody.map(\.certificate),
            // A steady clock that once ran ahead must not make an expired one of every certificate.
            now: clock ?? now)
        guard let user = everybody.first(where: { $0.certificate == signer })?.user else {
            throw AccessError(.refused, "signed by nobody whose signature counts here")
        }
        guard user != request.user else {
            throw AccessError(.refused, "'\(user)' asked for it, and does not approve the own request")
        }
        guard !approvals.contains(where: { $0.user == user }) else {
            throw AccessError(.refused, "'\(user)' has approved it already, and counts once")
        }
        guard open.approvers.contains(where: { $0.certificate == signer }) else {
            throw AccessError(.refused, "level '\(open.name)' has to approve first; '\(user)' is not of it")
        }
        let approval = Approval(
            user: user, level: open.name, certificate: signer.der, signature: der, at: now)
        approvals.append(approval)
        if openLevel(policy) == nil { granted = now }
        return approval
    }

    /// Turns it down, or takes it back once it is granted.
    ///
    /// - Throws: ``AccessError`` with `refused` where it has ended already.
    public mutating func finish(
        _ kind: End.Kind, by user: String, reason: String, policy: AccessPolicy, now: Timestamp
    ) throws {
        let standing = standing(policy, now: now)
        switch (kind, standing) {
        case (.denied, .waiting), (.revoked, .granted), (.revoked, .waiting):
            end = End(kind: kind, user: user, reason: reason, at: now)
        case (.denied, .granted):
            throw AccessError(.refused, "request \(request.id) is granted already; run: keyroll access revoke")
        default:
            throw AccessError(.refused, "request \(request.id) is \(standing.word); there is nothing to end")
        }
    }

    /// Checks every signature again, as of a case that was kept.
    ///
    /// - Throws: ``AccessError`` with `altered`.
    public func verifySignatures() throws {
        for approval in approvals {
            guard let certificate = try? Certificate(approval.certificate),
                (try? ApprovalSignature.check(
                    approval.signature, of: Array(request.statement.utf8), trusted: [certificate], now: approval.at))
                    != nil
            else {
                throw AccessError(.altered, "request \(request.id): the approval of '\(approval.user)' does not verify")
            }
        }
    }
}
