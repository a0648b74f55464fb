import Access
import Files
import Foundation

/// Requests as JSON, as `keyroll access list` and `show` print them.
enum AccessListing {
    private struct Entry: Encodable {
        struct Approval: Encodable {
            var user: String
            var level: String
            var at: String
        }
        struct End: Encodable {
            var kind: String
            var user: String
            var reason: String
            var at: String
        }
        var id: String
        var standing: String
        var waitsFor: String?
        var until: String?
        var requester: String
        var operation: String
        var secrets: String
        var seconds: Int64
        var reason: String
        var requested: String
        var expires: String
        var approvals: [Approval]
        var end: End?
        var statement: String
    }

    /// A JSON array.
    static func json(_ cases: [AccessCase], _ policy: AccessPolicy, now: Timestamp) throws -> [UInt8] {
        let entries = cases.map { entry -> Entry in
            let standing = entry.standing(policy, now: now)
            var waitsFor: String?
            var until: String?
            switch standing {
            case .waiting(let level, let have, let need): waitsFor = "\(level): \(have) of \(need)"
            case .granted(let end): until = end.description
            default: break
            }
            let request = entry.request
            return Entry(
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
