public import Audit
import Cryptography
import KeyManagement

/// The home's audit log.
extension Home {
    /// Opens it, or makes it with the first entry.
    ///
    /// - Parameters:
    ///   - forwarder: passes entries on.
    ///   - checkpointEvery: after how many entries one is signed.
    /// - Throws: `AuditError` with `altered` where it was cut off or altered; `FileError`.
    public func auditLog(forwarder: (any AuditForwarder)? = nil, checkpointEvery: Int = 1000) throws -> AuditLog {
        let keeper = keeper
        let ring = keeper.keyring.ring
        return try AuditLog(
            folder: layout.audit, group: ring.group, groupName: ring.name, signer: { try keeper.signer() },
            seal: { try keeper.auditTag($0) }, checkpointEvery: checkpointEvery, forwarder: forwarder)
    }
}
