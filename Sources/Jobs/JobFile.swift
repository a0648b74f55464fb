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
        /// Open every secret.
        case verify
    }

    /// Which job.
    public var kind: Kind
    /// Crypto workers; nil for one a core.
    public var workers: Int?
    /// Secrets a second at most.
    public var maximumRate: Int?
    /// Roll although nothing is due.
    public var isForced: Bool
    /// The home; nil for the usual one.
    public var home: String?

    /// Reads a file.
    ///
    /// - Throws: `HomeError` with `configuration`, naming file and line.
    public init(path: String) throws {
        let document = try YAMLDocument(path: path)
        try document.expect(only: ["job", "workers", "maxRate", "force", "home"])
        guard let name = try document.string("job") else {
            throw HomeError(.configuration, "\(path): 'job' is missing; one of: \(Self.kinds)")
        }
        guard let kind = Kind(rawValue: name) else {
            throw document.error("job", "'\(name)' is no job; one of: \(Self.kinds)")
        }
        self.kind = kind
        workers = try document.integer("workers", in: 1...1024)
        maximumRate = try document.integer("maxRate", in: 1...1_000_000_000)
        isForced = try document.truth("force") ?? false
        home = try document.string("home")
    }

    private static var kinds: String { Kind.allCases.map(\.rawValue).joined(separator: ", ") }
}
