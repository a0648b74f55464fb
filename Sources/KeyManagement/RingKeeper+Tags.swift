import Cryptography

/// MACs under keys that are derived from the root key, for what lies beside the ring.
extension RingKeeper {
    /// HMAC-SHA-256 over the head of the audit log.
    public func auditTag(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try Authenticator(key: rootKeys.audit).tag($0) }
    }

    /// HMAC-SHA-256 over requests for access and what became of them.
    public func accessTag(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try Authenticator(key: rootKeys.access).tag($0) }
    }
}
