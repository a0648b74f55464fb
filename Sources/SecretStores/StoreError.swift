/// Why a secret store refuses.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    /// The kinds of refusal a caller can tell apart.
    public enum Code: Sendable, Equatable {
        /// The fence stands above the generation that was to protect; read the ring again.
        case fenced(fence: UInt32)
        /// The store belongs to another group.
        case otherGroup
        /// The store has generations that the ring does not have, or has with another identity.
        case foreignGenerations
        /// There is a secret of that name.
        case exists
        /// There is no secret of that name.
        case noSuchSecret
        /// The store was written by a newer keyroll.
        case newerFormat
        /// The store was written by an older keyroll, whose format this one does not read.
        case olderFormat
        /// Another worker holds the part of a job that this one was working on.
        case claimLost
        /// A name, a context or a secret that the store does not take.
        case notAccepted
        /// The store's own rows contradict each other.
        case damaged
    }

    /// What kind of refusal it is.
    public let code: Code
    private let detail: String

    /// - Parameters:
    ///   - code: the kind of refusal.
    ///   - detail: one lower-case line: what is wrong, where, what to do.
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One lower-case line.
    public var description: String { detail }
}

/// What every store takes at most.
public enum StoreLimits {
    /// A name: 1,024 bytes of UTF-8.
    public static let name = 1024
    /// A context: 64 KiB.
    public static let context = 64 << 10
    /// A plaintext: 64 MiB.
    public static let plaintext = 64 << 20
}
