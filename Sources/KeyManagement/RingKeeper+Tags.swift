import Cryptography

/// MACs for what lies beside the ring, each under a key of its own.
extension RingKeeper {
    /// HMAC-SHA-256 over the mark of where the audit log ends: 32 bytes.
    public func auditTag(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try Authenticator(key: rootKeys.audit).tag($0) }
    }

    /// HMAC-SHA-256 over a request for access that is kept: 32 bytes.
    public func accessTag(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try Authenticator(key: rootKeys.access).tag($0) }
    }
}
