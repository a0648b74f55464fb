public import Files
import FoundationEssentials
public import Interchange
public import Rotation
public import SecretStores

/// What a job did: its `--json` answer and its file under `reports/`.
public struct JobReport: Sendable {
    /// The job's identity.
    public var job: String
    /// "rotate", "verify", "import".
    public var kind: String
    /// What became of the secrets.
    public var tally = RunTally()
    /// Secrets handled in this attempt, for the rate.
    public var handled = 0
    /// How long it took.
    public var seconds = 0.0
    /// How long each stage was busy.
    public var stages = StageTimes()
    /// How many crypto workers there were.
    public var workers = 1
    /// How it came along.
    public var course = RunCourse()
    /// When it began.
    public var started = Timestamp.now
    /// When it ended.
    public var ended: Timestamp?
    /// The active generation at the end.
    public var generation: UInt32 = 0
    /// Whether the writes were thrown away.
    public var isDryRun = false
    /// Whether it went on where an earlier attempt had stopped.
    public var wasResumed = false
    /// Whether somebody asked for an end before it was reached.
    public var wasInterrupted = false
    /// What was planned, a line a step.
    public var plan: [String] = []
    /// Failed secrets by name, the first thousand.
    public var faults: [VerifyRun.Fault] = []
    /// What an operator should know.
    public var notes: [String] = []
    /// Whether something was found that a person should look at, although no secret failed.
    public var needsAttention = false
    /// Stores that could not be reached, by name: what the job is about was not done there.
    public var unreachable: [String] = []
    /// Whether the job was only planned, for workers that are started elsewhere.
    public var isDetached = false
    /// The runs that this job did or took up, by their identities.
    var runs: [String] = []
    /// Stores, by name, in which the run came to its end.
    var endedIn: [String] = []
    /// Whether its report is kept, and the evidence noted in the ring, once it is logged.
    var isKept = false
    /// The job's identity in the evidence, once it has a record there.
    var recordedAs: String?
    /// Generations that were taken off line.
    public var retired: [UInt32] = []
    /// Generations whose bundles were proven restorable.
    public var rehearsed: [UInt32] = []
    /// Numbers of an import.
    public var importCounts: WriteTally?
    /// What was wrong with an import's input, the first ten thousand.
    public var problems: [ImportProblem] = []
    /// How many problems there were.
    public var problemCount = 0

    /// - Parameters:
    ///   - job: the job's identity.
    ///   - kind: its kind.
    public init(job: String, kind: String) {
        self.job = job
        self.kind = kind
    }

    /// Notes how long it took, and how it came along.
    mutating func end(_ control: RunControl, _ options: RunOptions, since start: ContinuousClock.Instant) {
        seconds = start.duration(to: .now).inSeconds
        ended = .now
        course = control.course
        workers = options.workers
    }

    /// Whether nothing is left that needs anybody: what exit code 0 says.
    public var isSuccess: Bool {
        !wasInterrupted && tally.failed.total == 0 && faults.isEmpty && !needsAttention && problemCount == 0
    }

    /// The stage that the others waited for; nil where nothing was done.
    public var limiting: Stage? { stages.limiting(workers: workers) }

    /// Secrets a second in this attempt.
    public var secretsPerSecond: Double { seconds > 0 ? Double(handled) / seconds : 0 }

    /// One JSON object (RFC 8259), its names sorted.
    public func json() throws -> [UInt8] {
        var failed = Dictionary(uniqueKeysWithValues: FailureReason.allCases.map { ($0.rawValue, tally.failed[$0]) })
        failed["total"] = tally.failed.total
        let counts = importCounts.map {
            Document.Counts(added: $0.added, replaced: $0.replaced, unchanged: $0.unchanged, kept: $0.kept)
        }
        let document = Document(
            job: job, kind: kind, scanned: tally.scanned, moved: tally.moved, current: tally.current,
            superseded: tally.superseded, failed: failed, seconds: rounded(seconds),
            secretsPerSecond: rounded(secretsPerSecond),
            stages: [
                "read": rounded(stages.read), "transform": rounded(stages.transform), "commit": rounded(stages.commit),
            ],
            limitedBy: limiting?.rawValue, workers: workers,
            course: course.points.map { .init(seconds: rounded($0.seconds), handled: $0.handled) },
            started: started.description, ended: ended?.description, success: isSuccess,
            generation: generation, dryRun: isDryRun, resumed: wasResumed, interrupted: wasInterrupted, plan: plan,
            faults: faults.map { .init(name: $0.name, generation: $0.generation, reason: $0.reason.rawValue) },
            notes: notes, unreachable: unreachable, retired: retired, rehearsed: rehearsed, imported: counts,
            problems: importCounts == nil
                ? nil : problems.map { .init(file: $0.file, line: $0.line, message: $0.message) },
            problemCount: importCounts == nil ? nil : problemCount)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document)) + [10]
    }

    private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    private struct Document: Encodable {
        struct Fault: Encodable {
            var name: String
            var generation: UInt32
            var reason: String
        }
        struct Problem: Encodable {
            var file: String
            var line: Int?
            var message: String
        }
        struct Counts: Encodable {
            var added: Int
            var replaced: Int
            var unchanged: Int
            var kept: Int
        }
        var job: String
        var kind: String
        var scanned: Int
        var moved: Int
        var current: Int
        var superseded: Int
        var failed: [String: Int]
        var seconds: Double
        var secretsPerSecond: Double
        var stages: [String: Double]
        var limitedBy: String?
        var workers: Int
        var course: [RunCourse.Point]
        var started: String
        var ended: String?
        var success: Bool
        var generation: UInt32
        var dryRun: Bool
        var resumed: Bool
        var interrupted: Bool
        var plan: [String]
        var faults: [Fault]
        var notes: [String]
        var unreachable: [String]
        var retired: [UInt32]
        var rehearsed: [UInt32]
        var imported: Counts?
        var problems: [Problem]?
        var problemCount: Int?
    }
}
