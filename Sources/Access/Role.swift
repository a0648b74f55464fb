/// What somebody is to a key group, and may therefore do.
public enum Role: String, Sendable, CaseIterable, Comparable {
    /// Decides on policy and approvers. Sees no plaintext.
    case owner
    /// Runs jobs. Sees no plaintext.
    case `operator`
    /// Unprotects: a service account.
    case reader
    /// Protects: a service account.
    case writer
    /// Reads log, census and reports. Reaches no key.
    case auditor

    /// In the order in which they are declared.
    public static func < (left: Role, right: Role) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
}

/// What is asked of a broker.
public enum Operation: String, Sendable, CaseIterable {
    /// Read a secret's plaintext.
    case unprotect
    /// Store a secret.
    case protect
    /// Delete a secret.
    case remove
    /// Give a secret another name.
    case rename
    /// List names.
    case list
    /// Run a job: rotate, re-encrypt, verify …
    case job
    /// Look at states, counts and reports.
    case inspect
    /// Read and verify the audit log.
    case audit
    /// Install a policy.
    case policy

    /// The roles that may.
    public var roles: Set<Role> {
        switch self {
        case .unprotect: [.reader]
        case .protect, .remove, .rename: [.writer]
        case .list: [.owner, .operator, .reader, .writer, .auditor]
        case .job: [.operator]
        case .inspect: [.owner, .operator, .auditor]
        case .audit: [.owner, .auditor]
        case .policy: [.owner]
        }
    }
}
