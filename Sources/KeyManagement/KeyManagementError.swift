/// Why the key store gives no keys, or takes no change.
public struct KeyManagementError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller can tell apart.
    public enum Code: Sendable {
        /// The root key does not belong to this ring.
        case wrongRootKey
        /// The ring, or its two copies, were changed by somebody who has not the root key, or are damaged.
        case ringNotAuthentic
        /// The root key cannot be had now.
        case rootKeyUnavailable
        /// The root key's file is not what keyroll writes.
        case rootKeyMalformed
        /// The key store was written by a newer keyroll.
        case newerFormat
        /// NIST SP 800-57 does not allow this change of state.
        case transitionRefused
        /// The ring has no such generation.
        case noSuchGeneration
        /// The ring has no active generation.
        case noActiveGeneration
        /// Somebody else changed the ring at the same time.
        case changedMeanwhile
        /// There is a ring already.
        case exists
        /// A new generation did not pass its probe.
        case probeFailed
        /// The ring has no such recovery recipient.
        case noSuchRecipient
        /// A recipient's holder gave another answer than its challenge asks for.
        case challengeFailed
        /// The ring knows no such copy.
        case noSuchCopy
        /// The key store was written by an older keyroll and has to be upgraded first.
        case olderFormat
    }

    /// What kind of failure it is.
    public let code: Code
    private let detail: String

    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - detail: one lower-case line: what is wrong, where, what to do.
    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One lower-case line.
    public var description: String { detail }
}

extension KeyManagementError: Equatable {
    /// Two errors are equal when their codes are.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
