public import Files

/// A destruction that was asked for: until it is due it can be taken back.
public struct Destruction: Sendable, Equatable {
    /// When it was asked for.
    public var requested: Timestamp
    /// When it may become final.
    public var due: Timestamp
    /// Why.
    public var reason: String
    /// The kernel's boot and the seconds since, then: a clock that runs ahead shortens nothing while it lasts.
    public var boot: Restoration.Boot

    /// Whether it may become final.
    public func isDue(now: Timestamp = .now, boot: Restoration.Boot = .now()) -> Bool {
        guard due <= now else { return false }
        return boot.identity != self.boot.identity || boot.seconds - self.boot.seconds >= due - requested
    }
}
