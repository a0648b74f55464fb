import Cryptography
import Foundation
import Testing

/// An entry of the audit log, read without keyroll's own reader.
struct LogEntry: Sendable {
    var number: Int
    var kind: String
    var outcome: String
    var uid: Int?
    var user: String?
    var secret: String?
    var grant: String?
    var approvers: [String]
    var reason: String?
    /// The whole line.
    var line: String

    private struct Line: Decodable {
        struct Actor: Decodable {
            var uid: Int
            var user: String
        }
        var number: Int
        var previous: String
        var kind: String
        var outcome: String
        var actor: Actor?
        var secret: String?
        var grant: String?
        var approvers: [String]?
        var reason: String?
    }

    /// All entries, each of which has to hold the hash of the one before.
    ///
    /// - Parameter mayBeTorn: whether the last line may lack its end.
    static func all(
        in folder: String, mayBeTorn: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [LogEntry] {
        var entries: [LogEntry] = []
        var previous = String(repeating: "0", count: 64)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        where name.hasSuffix(".jsonl") {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
            for line in bytes.split(separator: 10) {
                if mayBeTorn, line.endIndex == bytes.endIndex { break }
                let entry = try JSONDecoder().decode(Line.self, from: line)
                if entry.number != entries.count + 1 || entry.previous != previous {
                    Issue.record("entry \(entry.number) does not follow", sourceLocation: sourceLocation)
                    return entries
                }
                previous = hexadecimal(try Array(line).withUnsafeBytes { try sha256($0) })
                entries.append(
                    LogEntry(
                        number: entry.number, kind: entry.kind, outcome: entry.outcome, uid: entry.actor?.uid,
                        user: entry.actor?.user, secret: entry.secret, grant: entry.grant,
                        approvers: entry.approvers ?? [], reason: entry.reason,
                        line: String(decoding: line, as: UTF8.self)))
            }
        }
        return entries
    }
}
