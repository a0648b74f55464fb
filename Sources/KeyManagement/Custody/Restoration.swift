public import Files

/// An archived generation that is on line again, for a stated time and reason. It only unprotects.
public struct Restoration: Sendable, Equatable {
    /// When it was restored.
    public var since: Timestamp
    /// When it goes off line by itself.
    public var until: Timestamp
    /// Why.
    public var reason: String
    /// Seconds of its time that were used up when the ring last looked.
    public internal(set) var used: Int64
    /// The clock then.
    public internal(set) var seen: Timestamp
    /// The kernel's boot and the seconds since, then: a clock that is set back prolongs nothing.
    public internal(set) var boot: Boot

    /// A place in a kernel's life that no one can set back.
    public typealias Boot = BootTime

    /// - Parameters:
    ///   - since: now.
    ///   - until: when it ends.
    ///   - reason: why.
    ///   - boot: this kernel's.
    public init(since: Timestamp, until: Timestamp, reason: String, boot: Boot) {
        self.since = since
        self.until = until
        self.reason = reason
        self.boot = boot
        seen = since
        used = 0
    }

    /// Whether it is over.
    ///
    /// - Parameters:
    ///   - now: the machine's clock, which may have been set back.
    ///   - boot: this kernel's.
    public func isOver(now: Timestamp = .now, boot: Boot = .now()) -> Bool {
        // After another boot there is nothing to hold a clock against that stands behind the last look.
        if boot.identity != self.boot.identity, now < seen { return true }
        return now >= until || used + progress(now: now, boot: boot) >= until - since
    }

    /// Seconds since the ring last looked: what the clock says or what the kernel counts, whichever is more.
    func progress(now: Timestamp, boot: Boot) -> Int64 {
        let counted = boot.identity == self.boot.identity ? boot.seconds - self.boot.seconds : 0
        return max(0, now - seen, counted)
    }

    /// Uses time up, and starts counting anew from here.
    public mutating func look(now: Timestamp, boot: Boot) {
        used += progress(now: now, boot: boot)
        seen = now
        self.boot = boot
    }
}
