import Cryptography
public import Files
import FoundationEssentials
import Glibc

/// Requests as they are kept: a file each, with a MAC, so that nobody who can write the folder makes a grant of them.
public struct CaseFolder: Sendable {
    /// A MAC under a key of the home.
    public typealias Seal = @Sendable ([UInt8]) throws -> [UInt8]

    /// The folder.
    public let path: String
    private let seal: Seal
    /// What is over stays for so long: the audit log has it for ever.
    private static let kept: Int64 = 30 * 86400

    /// - Parameters:
    ///   - path: the folder; made with the first request.
    ///   - seal: makes MACs.
    public init(path: String, seal: @escaping Seal) {
        self.path = path
        self.seal = seal
    }

    private struct Document: Codable {
        struct Approval: Codable {
            var user: String
            var level: String
            var certificate: Data
            var signature: Data
            var at: String
        }
        struct End: Codable {
            var kind: String
            var user: String
            var reason: String
            var at: String
        }
        var format: Int
        var statement: String
        var approvals: [Approval]
        var granted: String?
        var end: End?
    }

    /// Keeps a case durably.
    ///
    /// - Throws: `FileError`, or what the seal throws.
    public func write(_ entry: AccessCase) throws {
        if !PrivateFile.exists(path) { try PrivateFile.makeDirectory(path) }
        let document = Document(
            format: 1, statement: entry.request.statement,
            approvals: entry.approvals.map {
                .init(
                    user: $0.user, level: $0.level, certificate: Data($0.certificate), signature: Data($0.signature),
                    at: $0.at.description)
            },
            granted: entry.granted?.description,
            end: entry.end.map {
                .init(kind: $0.kind.rawValue, user: $0.user, reason: $0.reason, at: $0.at.description)
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Array(try encoder.encode(document))
        let bytes = line + [10] + Array((hexadecimal(try seal(line)) + "\n").utf8)
        try bytes.withUnsafeBytes { try PrivateFile.write(file(entry.request.id), $0, replacing: true) }
    }

    /// All cases, each held against its MAC and its signatures.
    ///
    /// - Returns: the cases, the oldest first, and a line for each file that is not believed.
    public func read() throws -> (cases: [AccessCase], refused: [String]) {
        guard PrivateFile.exists(path) else { return ([], []) }
        try PrivateFile.checkDirectory(path)
        var cases: [AccessCase] = []
        var refused: [String] = []
        for name in FolderListing.names(path) where name.hasSuffix(".json") {
            do { cases.append(try read(name)) } catch { refused.append("\(error)") }
        }
        cases.sort { ($0.request.requested, $0.request.id) < ($1.request.requested, $1.request.id) }
        return (cases, refused)
    }

    private func read(_ name: String) throws -> AccessCase {
        let path = path + "/" + name
        let altered = AccessError(
            .altered, "\(path): this is not what keyroll wrote; it was altered, and does not count")
        try PrivateFile.check(path)
        guard let bytes = try PrivateFile.read(path, limit: 1 << 20) else { throw altered }
        let parts = bytes.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
        guard parts.count == 3, parts[2].isEmpty, try isSealed(parts[0], by: parts[1]),
            let document = try? JSONDecoder().decode(Document.self, from: Data(parts[0])), document.format == 1,
            let request = AccessRequest(statement: document.statement), name == request.id + ".json"
        else { throw altered }
        let approvals = document.approvals.compactMap { kept in
            Timestamp(kept.at).map {
                AccessCase.Approval(
                    user: kept.user, level: kept.level, certificate: Array(kept.certificate),
                    signature: Array(kept.signature), at: $0)
            }
        }
        let end = document.end.flatMap { kept -> AccessCase.End? in
            guard let kind = AccessCase.End.Kind(rawValue: kept.kind), let at = Timestamp(kept.at) else { return nil }
            return AccessCase.End(kind: kind, user: kept.user, reason: kept.reason, at: at)
        }
        let granted = document.granted.flatMap { Timestamp($0) }
        guard approvals.count == document.approvals.count, (end == nil) == (document.end == nil),
            (granted == nil) == (document.granted == nil)
        else { throw altered }
        let entry = AccessCase(request, approvals: approvals, granted: granted, end: end)
        try entry.verifySignatures()
        return entry
    }

    private func isSealed(_ line: [UInt8], by digits: [UInt8]) throws -> Bool {
        let expected = Array(hexadecimal(try seal(line)).utf8)
        return expected.withUnsafeBytes { left in digits.withUnsafeBytes { equalInConstantTime(left, $0) } }
    }

    /// Removes what has been over for a month.
    public func tidy(_ cases: [AccessCase], policy: AccessPolicy, now: Timestamp) -> [AccessCase] {
        cases.filter { entry in
            switch entry.standing(policy, now: now) {
            case .waiting, .granted: return true
            default:
                guard now - entry.request.expires > Self.kept + AccessPolicy.hardMaximum else { return true }
                unlink(file(entry.request.id))
                return false
            }
        }
    }

    private func file(_ id: String) -> String { path + "/" + id + ".json" }
}
