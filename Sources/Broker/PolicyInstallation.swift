public import Audit
public import Files
public import Home
import Access
import KeyManagement

/// Installs a policy of access, and logs it: before it is in force, and what became of it.
public enum PolicyInstallation {
    /// - Parameters:
    ///   - document: the YAML text.
    ///   - signature: an owner's CMS signature over it.
    ///   - place: where the text comes from, for messages.
    ///   - home: the home.
    ///   - actor: who brings it.
    ///   - log: the audit log.
    ///   - now: by a clock that does not run backwards.
    /// - Throws: as `Home.installAccess` does; what the log throws.
    public static func install(
        _ document: [UInt8], signature: [UInt8], from place: String, in home: Home, by actor: AuditActor,
        log: AuditLog, now: Timestamp
    ) throws {
        var event = AuditEvent(
            .policy, .begun, by: actor,
            facts: [("presentRevision", .number(Int64(home.keeper.keyring.ring.access?.revision ?? 0)))])
        try log.append(event, synced: true)
        do {
            let (policy, signer) = try home.installAccess(document, signature: signature, from: place, now: now)
            event.outcome = .done
            event.facts += [("revision", .number(Int64(policy.revision))), ("signer", .text(signer))]
            try log.append(event, synced: true)
        } catch {
            event.outcome = .refused
            event.reason = "\(error)"
            try log.append(event, synced: true)
            throw error
        }
    }
}
