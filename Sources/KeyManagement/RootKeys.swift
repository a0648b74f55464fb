import Cryptography

/// The keys that are derived from the root key, one for each purpose; the root key itself is forgotten at once.
final class RootKeys: Sendable {
    /// Seals generations.
    let sealing: SecureBytes
    /// Authenticates the ring.
    let ring: SecureBytes
    /// Authenticates journals.
    let journal: SecureBytes
    /// Authenticates the head of the audit log.
    let audit: SecureBytes
    /// Authenticates requests for access.
    let access: SecureBytes
    /// Tells, without the ring, whether this is the ring's root key: 16 bytes.
    let checkValue: [UInt8]

    init(_ root: borrowing SecureBytes, group: Identity) throws {
        // The group is in every label, so that one root key can serve several groups.
        let suffix = " of group \(group)"
        sealing = try KeyDerivation.key(from: root, label: "keyroll/1 seal generations" + suffix)
        ring = try KeyDerivation.key(from: root, label: "keyroll/1 authenticate ring" + suffix)
        journal = try KeyDerivation.key(from: root, label: "keyroll/1 authenticate journal" + suffix)
        audit = try KeyDerivation.key(from: root, label: "keyroll/1 authenticate audit head" + suffix)
        access = try KeyDerivation.key(from: root, label: "keyroll/1 authenticate access requests" + suffix)
        let check = try KeyDerivation.key(from: root, label: "keyroll/1 root key check" + suffix)
        checkValue = check.withUnsafeBytes { Array($0[..<16]) }
    }
}
