public import Files

/// Whether somebody may do something, and on what ground.
public enum Decision: Sendable, Equatable {
    /// By a role.
    case role(Role)
    /// By a grant, for a time.
    case grant(id: String, approvers: [String])
    /// Not: why, in words for who asks.
    case refused(String)
}

/// The policy with the numbers of this machine's users, ready to decide.
public struct AccessRules: Sendable {
    /// The policy.
    public let policy: AccessPolicy
    private let roles: [(role: Role, members: ResolvedMembers)]
    private let requesters: ResolvedMembers

    /// - Parameters:
    ///   - policy: who may what, by name.
    ///   - accounts: this machine's users and groups.
    public init(_ policy: AccessPolicy, accounts: Accounts = .system) {
        self.policy = policy
        roles = policy.roles.sorted { $0.key < $1.key }.map { ($0.key, accounts.resolve($0.value)) }
        requesters = accounts.resolve(policy.requesters)
    }

    /// The roles that a caller has.
    public func roles(of caller: Caller) -> [Role] { roles.filter { $0.members.contains(caller) }.map(\.role) }

    /// Whether a caller may ask for elevated access.
    public func mayRequest(_ caller: Caller) -> Bool { requesters.contains(caller) }

    /// Whether a caller is known here at all.
    public func knows(_ caller: Caller) -> Bool {
        mayRequest(caller) || policy.isApprover(caller.user) || roles.contains { $0.members.contains(caller) }
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - operation: what is asked.
    ///   - secret: the secret's name, where it is about one.
    ///   - caller: who asks.
    ///   - cases: those of this caller; others do not count.
    ///   - now: by a clock that does not run backwards.
    public func decide(
        _ operation: Operation, secret: String? = nil, by caller: Caller, cases: @autoclosure () -> [AccessCase],
        now: Timestamp
    ) -> Decision {
        let allowed = operation.roles
        if let entry = roles.first(where: { allowed.contains($0.role) && $0.members.contains(caller) }) {
            return .role(entry.role)
        }
        guard let secret, AccessRequest.operations.contains(operation) else {
            return .refused("'\(caller.user)' is not \(Self.named(allowed)) of group \(policy.group)")
        }
        var ended: AccessCase.Standing?
        // Who may not ask any more has nothing from having asked.
        let mayRequest = mayRequest(caller)
        for entry in mayRequest ? cases() : []
        where entry.request.uid == caller.uid && entry.request.operation == operation {
            guard entry.request.secrets.matches(secret) else { continue }
            switch entry.standing(policy, now: now) {
            case .granted: return .grant(id: entry.request.id, approvers: entry.approvals.map(\.user))
            case let other: ended = other
            }
        }
        let hint =
            ended.map { "; the access that was asked for is \($0.word)" }
            ?? (mayRequest ? "; ask for it: keyroll access request --secrets NAME" : "")
        return .refused("'\(caller.user)' is not \(Self.named(allowed)) of group \(policy.group)\(hint)")
    }

    private static func named(_ roles: Set<Role>) -> String {
        roles.sorted().map(\.rawValue).joined(separator: " or ")
    }
}
