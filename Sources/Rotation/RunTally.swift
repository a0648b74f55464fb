public import SecretStores

/// What became of the secrets of a run. It has to add up, or the run says so and exits non-zero.
public struct RunTally: Sendable, Equatable {
    /// Secrets looked at.
    public var scanned = 0
    /// Moved to the target generation (for a verification: opened).
    public var moved = 0
    /// At the target already.
    public var current = 0
    /// Changed by somebody between read and commit, and left as they are.
    public var superseded = 0
    /// Not moved, by reason.
    public var failed = FailureCounts()

    /// Nothing yet.
    public init() {}

    /// scanned = moved + current + superseded + failed
    public var addsUp: Bool { scanned == moved + current + superseded + failed.total }

    /// The sum of two.
    public func adding(_ other: Self) -> Self {
        var sum = self
        sum += other
        return sum
    }

    /// What came to it since.
    func without(_ before: Self) -> Self {
        var rest = self
        rest.scanned -= before.scanned
        rest.moved -= before.moved
        rest.current -= before.current
        rest.superseded -= before.superseded
        for reason in FailureReason.allCases { rest.failed[reason] -= before.failed[reason] }
        return rest
    }

    static func += (left: inout Self, right: Self) {
        left.scanned += right.scanned
        left.moved += right.moved
        left.current += right.current
        left.superseded += right.superseded
        left.failed += right.failed
    }
}
