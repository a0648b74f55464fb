/// Why a secret could not be moved or opened. Each is counted on its own.
public enum FailureReason: String, Sendable, CaseIterable {
    /// Its generation is not here: archived, destroyed, or never known.
    case keyAbsent
    /// Its generation is here, but in a state that must not unprotect.
    case keyNotPermitted
    /// Wrapped key or content were altered, or do not belong together.
    case integrityCheckFailed
    /// The bytes are not what keyroll writes.
    case malformed
}

/// Failures by reason.
public struct FailureCounts: Sendable, Equatable {
    private var counts = (0, 0, 0, 0)

    /// None.
    public init() {}

    /// The number of failures for one reason.
    public subscript(reason: FailureReason) -> Int {
        get {
            switch reason {
            case .keyAbsent: counts.0
            case .keyNotPermitted: counts.1
            case .integrityCheckFailed: counts.2
            case .malformed: counts.3
            }
        }
        set {
            switch reason {
            case .keyAbsent: counts.0 = newValue
            case .keyNotPermitted: counts.1 = newValue
            case .integrityCheckFailed: counts.2 = newValue
            case .malformed: counts.3 = newValue
            }
        }
    }

    /// All of them.
    public var total: Int { counts.0 + counts.1 + counts.2 + counts.3 }

    /// Adds another count to this one.
    public static func += (left: inout Self, right: Self) {
        for reason in FailureReason.allCases { left[reason] += right[reason] }
    }

    /// Whether all counts are the same.
    public static func == (left: Self, right: Self) -> Bool { left.counts == right.counts }
}
