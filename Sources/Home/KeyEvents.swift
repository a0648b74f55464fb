public import Audit
import Cryptography
import Files
public import KeyManagement

/// What a change of the ring means, for the audit log. Pure.
///
/// The events are logged before the ring is stored, as `begun`, with the sequence number that the ring is about to get: a
/// ring with a lower number was never changed that way. A failure to store it is logged as `failed`.
public enum KeyEvents {
    /// The events; none for what only keeps books: evidence, time, rehearsals, bundles that were written.
    public static func between(
        _ before: Ring, _ after: Ring, outcome: AuditEvent.Outcome = .begun, by actor: AuditActor = .own()
    ) -> [AuditEvent] {
        let changes =
            after.generations.flatMap { generation($0, before: before.generation($0.number)) }
            + recipients(before, after) + custody(before, after)
        var events = changes.map { change in
            AuditEvent(
                .key, outcome, by: actor, reason: change.reason,
                facts: [("event", .text(change.event))] + change.facts + [("ring", number(after.sequence))])
        }
        if before.policy != after.policy {
            events.append(
                AuditEvent(
                    .policy, outcome, by: actor,
                    facts: [
                        ("before", .counts(counts(before.policy))), ("after", .counts(counts(after.policy))),
                        ("ring", number(after.sequence)),
                    ]))
        }
        return events
    }

    private struct Change {
        var event: String
        var reason: String?
        var facts: [(name: String, value: AuditValue)]
    }

    private static func generation(_ now: Generation, before: Generation?) -> [Change] {
        let which: [(name: String, value: AuditValue)] = [
            ("generation", .number(Int64(now.number))), ("identity", .text(now.identity.description)),
        ]
        var changes = now.history.dropFirst(before?.history.count ?? 0).map {
            Change(event: word($0.state), reason: $0.reason, facts: which)
        }
        if now.isArchived, before?.isArchived == false {
            changes.append(Change(event: "archived", reason: now.archived?.reason, facts: which))
        }
        if let restoration = now.restoration {
            if before?.restoration?.since != restoration.since {
                changes.append(
                    Change(
                        event: "restored", reason: restoration.reason,
                        facts: which + [("until", .text(restoration.until.description))]))
            }
        } else if before?.restoration != nil {
            changes.append(Change(event: "restoration ended", reason: nil, facts: which))
        }
        if let destruction = now.destruction {
            if before?.destruction == nil {
                changes.append(
                    Change(
                        event: "destruction asked for", reason: destruction.reason,
                        facts: which + [("due", .text(destruction.due.description))]))
            }
        } else if before?.destruction != nil, now.state != .destroyed {
            changes.append(Change(event: "destruction taken back", reason: nil, facts: which))
        }
        return changes
    }

    private static func word(_ state: GenerationState) -> String {
        switch state {
        case .preActivation: "published"
        case .active: "activated"
        case .deactivated: "deactivated"
        case .compromised: "compromised"
        case .destroyed: "destroyed"
        }
    }

    private static func recipients(_ before: Ring, _ after: Ring) -> [Change] {
        func facts(_ recipient: Recipient) -> [(name: String, value: AuditValue)] {
            [("recipient", .text(recipient.name)), ("fingerprint", .text(hexadecimal(recipient.fingerprint)))]
        }
        var changes: [Change] = []
        for recipient in after.recipients {
            let former = before.recipients.first { $0.fingerprint == recipient.fingerprint }
            if former == nil {
                changes.append(Change(event: "recipient added", reason: nil, facts: facts(recipient)))
            }
            if recipient.proven != nil, former?.proven == nil {
                changes.append(Change(event: "recipient proven", reason: nil, facts: facts(recipient)))
            }
        }
        let left = before.recipients.filter { former in
            !after.recipients.contains { $0.fingerprint == former.fingerprint }
        }
        return changes + left.map { Change(event: "recipient removed", reason: nil, facts: facts($0)) }
    }

    private static func custody(_ before: Ring, _ after: Ring) -> [Change] {
        var changes: [Change] = []
        if let signer = after.signer, signer.certificate != before.signer?.certificate {
            let fingerprint = (try? signer.certificate.withUnsafeBytes { try sha256($0) }) ?? []
            changes.append(
                Change(event: "signer changed", reason: nil, facts: [("fingerprint", .text(hexadecimal(fingerprint)))]))
        }
        func facts(_ copy: RegisteredCopy) -> [(name: String, value: AuditValue)] {
            [
                ("copy", .text(copy.identity.description)), ("kind", .text(copy.kind)), ("place", .text(copy.place)),
            ]
        }
        // A copy that is forgotten holds no key back any more.
        for copy in after.copies where !before.copies.contains(where: { $0.identity == copy.identity }) {
            changes.append(Change(event: "copy registered", reason: nil, facts: facts(copy)))
        }
        for copy in before.copies where !after.copies.contains(where: { $0.identity == copy.identity }) {
            changes.append(Change(event: "copy forgotten", reason: nil, facts: facts(copy)))
        }
        return changes
    }

    private static func counts(_ policy: Policy) -> [String: Int64] {
        [
            "cryptoperiod": policy.cryptoperiod, "propagationDelay": policy.propagationDelay,
            "soakTime": policy.soakTime, "keepDeactivated": Int64(policy.keepDeactivated),
            "destroyRetention": policy.destroyRetention, "rehearsalPeriod": policy.rehearsalPeriod,
        ]
    }

    private static func number(_ sequence: UInt64) -> AuditValue { .number(Int64(clamping: sequence)) }
}
