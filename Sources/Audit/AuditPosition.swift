/// A place in the log: an entry, and the hash that stands for it and everything before it.
public struct AuditPosition: Sendable, Equatable {
    /// The entry's number, from 1; 0 before the first.
    public var number: UInt64
    /// SHA-256 of the entry's line, 64 hexadecimal digits; zeros before the first.
    public var hash: String

    /// - Parameters:
    ///   - number: the entry's number.
    ///   - hash: 64 hexadecimal digits.
    public init(number: UInt64, hash: String) {
        self.number = number
        self.hash = hash
    }

    /// Before the first entry.
    public static let origin = AuditPosition(number: 0, hash: String(repeating: "0", count: 64))
}
