public import Files

/// A secret that a run could not move. The list is durable, and a secret leaves it when it is moved, written anew
/// or deleted.
public struct QuarantineEntry: Sendable {
    /// Where its slot lies.
    public var place: SlotPlace
    /// Its name, or where the slot lies if no content belongs to it.
    public var name: String
    /// The generation its slot names.
    public var generation: UInt32
    /// Why.
    public var reason: FailureReason
    /// The job that found it last.
    public var job: String
    /// When it was first found.
    public var firstSeen: Timestamp
    /// When it was found last.
    public var lastSeen: Timestamp
    /// Why an operator accepted it as lost, or nil.
    public var accepted: String?
}

/// How many secrets of one generation are quarantined.
public struct QuarantineCount: Sendable, Equatable {
    /// Those that nobody accepted as lost.
    public var open: Int64
    /// Those that an operator accepted as lost.
    public var accepted: Int64

    /// - Parameters:
    ///   - open: those that nobody accepted as lost.
    ///   - accepted: those that an operator accepted as lost.
    public init(open: Int64, accepted: Int64) {
        self.open = open
        self.accepted = accepted
    }
}
