import Access
import BrokerWire
import Files
import FoundationEssentials

/// Requests as JSON, as `keyroll access list` and `show` print them.
enum AccessListing {
    /// A JSON array.
    static func json(_ cases: [AccessCase], _ policy: AccessPolicy, now: Timestamp) throws -> [UInt8] {
        let entries = cases.map { entry -> AccessEntry in
            let standing = entry.standing(policy, now: now)
            var waitsFor: String?
            var until: String?
            switch standing {
            case .waiting(let level, let have, let need): waitsFor = "\(level): \(have) of \(need)"
            case .granted(let end): until = end.description
            default: break
            }
            let request = entry.request
            return AccessEntry(
                id: request.id, standing: standing.word, waitsFor: waitsFor, until: until, requester: request.user,
                operation: request.operation.rawValue, secrets: request.secrets.text, seconds: request.duration,
                reason: request.reason, requested: request.requested.description, expires: request.expires.description,
                approvals: entry.approvals.map { .init(user: $0.user, level: $0.level, at: $0.at.description) },
                end: entry.end.map {
                    .init(kind: $0.kind.rawValue, user: $0.user, reason: $0.reason, at: $0.at.description)
                },
                statement: request.statement)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(entries)) + [10]
    }
}
