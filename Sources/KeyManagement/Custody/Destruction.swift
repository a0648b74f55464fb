public import Files

/// A destruction that was asked for: until it is due it can be taken back.
public struct Destruction: Sendable, Equatable {
    /// When it was asked for.
    public var requested: Timestamp
    /// When it may become final.
    public var due: Timestamp
    /// Why.
    public var reason: String
}
