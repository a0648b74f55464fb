import Files
import Home

/// A file under `jobs/`: which job, and how.
///
/// ```yaml
/// job: rotate
/// workers: 2
/// ```
public struct JobFile: Sendable, Equatable {
    /// The jobs that a file can describe.
    public enum Kind: String, Sendable, CaseIterable {
        /// The scheduled rotation.
        case rotate
        /// Encrypt anew what compromised generations may have exposed.
        case reencrypt
        /// Open every secret.
        case verify
        /// Put an archived generation on line again for a time.
        case restore
    }

    /// Which job.
    public var kind: Kind
    /// Crypto workers; nil for one a core.
    public var workers: Int?
    /// Secrets a second at most.
    public var maximumRate: Int?
    /// Roll although nothing is due.
    public var isForced: Bool
    /// For `reencrypt`: the compromised generations.
    public var compromised: [UInt32]
    /// For `restore`: the bundle; nil for the home's own of that generation.
    public var bundle: String?
    /// For `restore`: the generation.
    public var generation: UInt32?
    /// For `restore`: seconds.
    public var duration: Int64?
    /// For `restore`: a recovery key's file; nil for the archive key.
    public var key: String?
    /// For `reencrypt` and `restore`: why, for the history.
    public var reason: String
    /// The home; nil for the usual one.
    public var home: String?

    /// Reads a file.
    ///
    /// - Throws: `HomeError` with `configuration`, naming file and line.
    public init(path: String) throws {
        guard PrivateFile.exists(path) else { throw HomeError(.noSuchFile, "\(path): no such job file") }
        let document = try YAMLDocument(path: path)
        try document.expect(only: [
            "job", "workers", "maxRate", "force", "home", "compromised", "reason", "bundle", "generation", "for", "key",
        ])
        guard let name = try document.string("job") else {
            throw HomeError(.configuration, "\(path): 'job' is missing; one of: \(Self.kinds)")
        }
        guard let kind = Kind(rawValue: name) else {
            throw document.error("job", "'\(name)' is no job; one of: \(Self.kinds)")
        }
        self.kind = kind
        workers = try document.integer("workers", in: 1...64)
        maximumRate = try document.integer("maxRate", in: 1...1_000_000_000)
        isForced = try document.truth("force") ?? false
        home = try document.string("home")
        reason = try document.string("reason") ?? "a job file says so"
        guard (1...1024).contains(reason.utf8.count) else {
            throw document.error("reason", "'reason' has to be 1 to 1024 bytes")
        }
        compromised = []
        if let text = try document.string("compromised") {
            guard kind == .reencrypt, let numbers = Self.numbers(text) else {
                throw document.error(
                    "compromised",
                    "'compromised' belongs to job: reencrypt and lists generation numbers, such as 3 or 2,3")
            }
            compromised = numbers
        } else if kind == .reencrypt {
            throw HomeError(
                .configuration, "\(path): 'compromised' is missing: the generation numbers, such as 3 or 2,3")
        }
        try readRestore(document, path)
    }

    private mutating func readRestore(_ document: YAMLDocument, _ path: String) throws {
        bundle = try document.string("bundle")
        key = try document.string("key")
        generation = try document.integer("generation", in: 1...Int(UInt32.max)).map { UInt32($0) }
        duration = try document.duration("for")
        for (name, isThere) in [
            ("bundle", bundle != nil), ("key", key != nil), ("generation", generation != nil), ("for", duration != nil),
        ] where isThere && kind != .restore {
            throw document.error(name, "'\(name)' belongs to job: restore")
        }
        guard kind == .restore else { return }
        guard generation != nil else {
            throw HomeError(.configuration, "\(path): 'generation' is missing: the number of the one to restore")
        }
        guard duration != nil else {
            throw HomeError(.configuration, "\(path): 'for' is missing: how long, such as 7d")
        }
        guard try document.string("reason") != nil else {
            throw HomeError(.configuration, "\(path): 'reason' is missing: a restoration needs one")
        }
    }

    /// Generation numbers as people list them: `3` or `2,3`; nil for anything else.
    public static func numbers(_ text: String) -> [UInt32]? {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
            UInt32($0.trimmingPrefix(while: { $0 == " " }))
        }
        return numbers.contains(where: { $0 == nil || $0 == 0 }) ? nil : numbers.compactMap { $0 }
    }

    private static var kinds: String { Kind.allCases.map(\.rawValue).joined(separator: ", ") }
}
