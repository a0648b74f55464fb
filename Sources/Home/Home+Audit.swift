public import Audit

/// The audit log of a home.
extension Home {
    /// The log; it is opened with the first call, and holds as long as the home does.
    ///
    /// - Parameters:
    ///   - forwarder: passes entries on; nil for the one of the configuration, if it names one.
    ///   - checkpointEvery: after how many entries one is signed.
    /// - Throws: `AuditError` with `altered` where it is not what it was; `FileError`.
    public func auditLog(forwarder: (any AuditForwarder)? = nil, checkpointEvery: Int = 1000) throws -> AuditLog {
        try audit.log(keeper, forwarder: forwarder, checkpointEvery: checkpointEvery)
    }
}
