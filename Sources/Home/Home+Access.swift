public import Access
import Cryptography
public import Files
import KeyManagement

/// The policy of access that is in force.
extension Home {
    /// The policy, or nil where there is none: then whoever can open the home reaches the keys, and nobody else.
    ///
    /// - Throws: `AccessError` with `policy` where its signature does not verify; what reading it throws.
    public func accessPolicy() throws -> AccessPolicy? {
        guard let kept = keeper.keyring.ring.access else { return nil }
        let place = "the policy of access, revision \(kept.revision)"
        guard
            (try? ApprovalSignature.check(
                kept.signature, of: kept.document, trusted: [Certificate(kept.signer)], now: nil)) != nil
        else { throw AccessError(.policy, "\(place): its signature does not verify") }
        return try AccessPolicy(yaml: kept.document, from: place)
    }

    /// Installs a policy: the first by whoever can open the home, each later one by an owner whom the present one names.
    ///
    /// - Parameters:
    ///   - document: the YAML text.
    ///   - signature: CMS over it, as `openssl cms -sign` writes it.
    ///   - place: where the text comes from, for messages.
    ///   - now: by a clock that does not run backwards.
    /// - Returns: the policy, and the subject of who signed it.
    /// - Throws: `AccessError` with `policy` or `refused`; ``HomeError`` with `configuration`; `KeyManagementError` with
    ///   `transitionRefused` where it is not newer.
    @discardableResult
    public func installAccess(
        _ document: [UInt8], signature: [UInt8], from place: String, now: Timestamp
    ) throws -> (policy: AccessPolicy, signer: String) {
        let policy = try AccessPolicy(yaml: document, from: place)
        let ring = keeper.keyring.ring
        guard policy.group == ring.name, policy.identity == ring.group else {
            throw AccessError(.policy, "\(place): is for group \(policy.group) (\(policy.identity)), not for this one")
        }
        let present = try accessPolicy()
        guard policy.revision <= (present?.revision ?? 0) + 1000 else {
            throw AccessError(
                .policy,
                "\(place): revision \(policy.revision) is too far above \(present?.revision ?? 0): there would be none left one day"
            )
        }
        let (der, signer) = try ApprovalSignature.check(
            signature, of: document, trusted: present?.owners ?? policy.owners,
            // Owners are pinned. Their certificates grow old, and must not lock everybody out by it.
            now: nil)
        let kept = StoredAccess(revision: policy.revision, document: document, signature: der, signer: signer.der)
        try keeper.update { ring in
            // Another may have been installed since: whose owners then have to sign.
            guard ring.access?.revision ?? 0 == present?.revision ?? 0 else {
                throw KeyManagementError(
                    .changedMeanwhile, "another policy was installed a moment ago; look at it first")
            }
            try ring.adopt(kept)
        }
        return (policy, signer.subject)
    }
}
