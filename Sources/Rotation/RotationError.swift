/// Why a run ends before its end.
public struct RotationError: Error, Sendable, CustomStringConvertible {
    /// The kinds a caller can tell apart.
    public enum Code: Sendable {
        /// Secrets still refer to older generations after several passes, and nothing says why.
        case incomplete
        /// The outcomes do not add up: a fault of keyroll's own.
        case outcomesDoNotAddUp
        /// No store has a job of that name.
        case noSuchJob
        /// A job's record was not written by who has the ring.
        case forgedJob
        /// Somebody else has planned a job at the same time.
        case plannedMeanwhile
        /// A claim would lapse between two commits at the rate that was asked for.
        case leaseTooShort
        /// Another generation is active than the one that a job moves to.
        case otherTarget
    }

    /// What kind it is.
    public let code: Code
    private let detail: String

    /// - Parameters:
    ///   - code: what kind it is.
    ///   - detail: one lower-case line.
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One lower-case line.
    public var description: String { detail }
}
