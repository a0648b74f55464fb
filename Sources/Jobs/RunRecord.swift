public import Files
import FoundationEssentials
public import Home
import KeyManagement
public import Rotation

/// What a run's report under `reports/` says, as far as others show it.
public struct RunRecord: Sendable {
    /// The job's identity.
    public var job: String
    /// "rotate", "verify", "import", "reencrypt".
    public var kind: String
    /// When it began; nil in reports of earlier versions.
    public var started: Timestamp?
    /// When it ended.
    public var ended: Timestamp?
    /// Secrets looked at.
    public var scanned: Int
    /// Moved, or opened.
    public var moved: Int
    /// At the target already, or opened.
    public var current: Int
    /// Changed by somebody meanwhile.
    public var superseded: Int
    /// Not moved, by reason; "total" is all of them.
    public var failed: [String: Int]
    /// How long it took.
    public var seconds: Double
    /// Its rate.
    public var secretsPerSecond: Double
    /// How many seconds each stage was busy, by its name.
    public var stages: [String: Double]
    /// The stage that the others waited for.
    public var limitedBy: String?
    /// How it came along.
    public var course: [RunCourse.Point]
    /// Whether somebody asked for an end before it was reached.
    public var interrupted: Bool
    /// Whether it ended with 0; nil in reports of earlier versions.
    public var success: Bool?

    /// Reads one.
    ///
    /// - Returns: nil where there is none that can be read; what shows runs does not fail for one.
    public init?(path: String) {
        guard let bytes = try? PrivateFile.read(path, limit: 64 << 20),
            let document = try? JSONDecoder().decode(Document.self, from: Data(bytes))
        else { return nil }
        job = document.job
        kind = document.kind
        started = document.started.flatMap { Timestamp($0) }
        ended = document.ended.flatMap { Timestamp($0) }
        scanned = document.scanned
        moved = document.moved
        current = document.current
        superseded = document.superseded
        failed = document.failed
        seconds = document.seconds
        secretsPerSecond = document.secretsPerSecond
        stages = document.stages
        limitedBy = document.limitedBy
        course = document.course ?? []
        interrupted = document.interrupted
        success = document.success
    }

    private struct Document: Decodable {
        var job: String
        var kind: String
        var started: String?
        var ended: String?
        var scanned: Int
        var moved: Int
        var current: Int
        var superseded: Int
        var failed: [String: Int]
        var seconds: Double
        var secretsPerSecond: Double
        var stages: [String: Double]
        var limitedBy: String?
        var course: [RunCourse.Point]?
        var interrupted: Bool
        var success: Bool?
    }
}

/// The runs that a home keeps reports of.
public struct RunHistory: Sendable {
    /// The last run of each kind, also one that had nothing to do.
    public var last: [RunRecord] = []
    /// When a run of each kind last ended with 0.
    public var lastSuccess: [String: Timestamp] = [:]
    /// The newest runs that had something to do, the newest first.
    public var recent: [RunRecord] = []

    /// The kinds of jobs, in the order in which they are shown.
    public static let kinds = ["rotate", "reencrypt", "verify", "import"]

    /// - Parameters:
    ///   - layout: the home.
    ///   - limit: how many of the newest runs.
    public init(_ layout: HomeLayout, limit: Int) {
        for kind in Self.kinds {
            if let record = RunRecord(path: "\(layout.reports)/last-\(kind).json") { last.append(record) }
            if let record = RunRecord(path: "\(layout.reports)/last-success-\(kind).json"), let ended = record.ended {
                lastSuccess[kind] = ended
            }
        }
        // Names of jobs have their time in them, after the kind.
        func moment(_ name: String) -> Substring { name.drop { $0 != "-" }.dropFirst() }
        let names = FolderListing.names(layout.reports).filter {
            $0.hasSuffix(".json") && !$0.hasPrefix("last-")
        }
        recent = names.sorted { moment($0) > moment($1) }.prefix(limit).compactMap {
            RunRecord(path: layout.reports + "/" + $0)
        }
    }
}
