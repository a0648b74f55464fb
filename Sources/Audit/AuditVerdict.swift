public import Files

/// What a verification found.
public struct AuditVerdict: Sendable {
    /// The first entry that is not as it was written.
    public struct Fault: Sendable, Equatable {
        /// Its number.
        public var entry: UInt64
        /// One lower-case line.
        public var what: String

        /// - Parameters:
        ///   - entry: its number.
        ///   - what: one lower-case line.
        public init(entry: UInt64, what: String) {
            self.entry = entry
            self.what = what
        }
    }

    /// How many whole entries were looked at.
    public var entries: UInt64 = 0
    /// The first entry that is here; what was before it was moved away and is not looked at.
    public var first: UInt64 = 0
    /// The last whole entry that was found right.
    public var head = AuditPosition.origin
    /// How many checkpoints were found right.
    public var checkpoints = 0
    /// How many entries follow the last checkpoint: nobody has signed them yet.
    public var unsigned: UInt64 = 0
    /// Bytes at the end that a crash cut off.
    public var tornBytes = 0
    /// The time of the last entry.
    public var lastMoment: Timestamp?
    /// The first bad entry; nil where all is well.
    public var fault: Fault?

    /// Nothing found yet.
    public init() {}
}
