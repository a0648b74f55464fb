import FoundationEssentials
public import Rotation
import SecretStores

/// What copying a store did: its `--json` answer.
public struct StoreCopyReport: Sendable {
    /// The job's identity.
    public var job: String
    /// The store that was copied.
    public var source: String
    /// The store that holds the copy.
    public var target: String
    /// Where that is.
    public var place = ""
    /// Secrets in the source at the last comparison.
    public var secrets = 0
    /// Secrets that were written, those included that changed meanwhile and were written again.
    public var copied = 0
    /// Secrets that are the same in both, byte for byte, at the last comparison.
    public var same = 0
    /// Secrets that changed in the source since they were copied, or that an older generation wraps in a store that is
    /// in use: the target has not got them as they are now.
    public var changed = 0
    /// Copies of secrets that were deleted in the source meanwhile, and were taken out again.
    public var removed = 0
    /// Secrets of a target in use whose names the source does not have.
    public var extra = 0
    /// Slots without a content and contents without a slot, which cannot be copied.
    public var unreadable: [String] = []
    /// Secrets of the target that do not open; they did not in the source either, where they are the same.
    public var closed: [VerifyRun.Fault] = []
    /// How many those are.
    public var closedCount = 0
    /// How long it took.
    public var seconds = 0.0
    /// Whether somebody asked for an end before it was reached: the target is not in use yet.
    public var wasInterrupted = false
    /// What an operator should know.
    public var notes: [String] = []

    /// - Parameters:
    ///   - job: the job's identity.
    ///   - source: the store that is copied.
    ///   - target: the store that holds the copy.
    public init(job: String, source: String, target: String) {
        self.job = job
        self.source = source
        self.target = target
    }

    /// Whether everything is in the target as it is in the source, and opens.
    public var isComplete: Bool { changed == 0 && extra == 0 && unreadable.isEmpty && closedCount == 0 }

    /// One JSON object (RFC 8259), its names sorted.
    public func json() throws -> [UInt8] {
        struct Fault: Encodable {
            var name: String
            var generation: UInt32
            var reason: String
        }
        struct Document: Encodable {
            var job: String
            var source: String
            var target: String
            var place: String
            var secrets: Int
            var copied: Int
            var same: Int
            var changed: Int
            var removed: Int
            var unreadable: [String]
            var closed: [Fault]
            var closedCount: Int
            var complete: Bool
            var interrupted: Bool
            var seconds: Double
            var notes: [String]
        }
        let document = Document(
            job: job, source: source, target: target, place: place, secrets: secrets, copied: copied, same: same,
            changed: changed, removed: removed, unreadable: unreadable,
            closed: closed.map { Fault(name: $0.name, generation: $0.generation, reason: $0.reason.rawValue) },
            closedCount: closedCount, complete: isComplete && !wasInterrupted, interrupted: wasInterrupted,
            seconds: (seconds * 1000).rounded() / 1000, notes: notes)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document)) + [10]
    }
}
