/// Where a home's evidence stood: kept in the ring, where nobody changes it without the root key, so that evidence that
/// is cut off or written anew before that record is noticed.
public struct EvidenceAnchor: Sendable, Equatable {
    /// How many records there were.
    public var count: UInt64
    /// The hash of the last one, in hexadecimal digits.
    public var head: String

    /// - Parameters:
    ///   - count: how many records there were.
    ///   - head: the hash of the last one.
    public init(count: UInt64 = 0, head: String = "") {
        self.count = count
        self.head = head
    }
}
