/// How many seconds each stage was busy; workers are added up.
public struct StageTimes: Sendable, Equatable {
    /// The reader.
    public var read = 0.0
    /// All workers together.
    public var transform = 0.0
    /// The committer.
    public var commit = 0.0

    /// None yet.
    public init() {}

    /// The sum of two.
    public func adding(_ other: Self) -> Self {
        var sum = self
        sum += other
        return sum
    }

    /// The stage that the others wait for: the one whose threads were busy for the largest share of the time; nil where
    /// nothing was done.
    ///
    /// - Parameter workers: how many crypto workers there were.
    public func limiting(workers: Int) -> Stage? {
        let shares = [(Stage.read, read), (.transform, transform / Double(max(1, workers))), (.commit, commit)]
        return shares.max { $0.1 < $1.1 }.flatMap { $0.1 > 0 ? $0.0 : nil }
    }

    static func += (left: inout Self, right: Self) {
        left.read += right.read
        left.transform += right.transform
        left.commit += right.commit
    }
}

/// One stage of the pipeline.
public enum Stage: String, Sendable, CaseIterable {
    /// Reading pages or contents from the store.
    case read
    /// The crypto workers.
    case transform
    /// Writing and committing.
    case commit
}
