import Glibc

/// Why the audit log takes no entry, or is not believed.
public struct AuditError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller can tell apart.
    public enum Code: Sendable {
        /// Entries are missing or are not what was written.
        case altered
        /// The disk is full, or the device failed; nothing of the entry is left.
        case inputOutput
        /// A sync failed once: nobody knows what is on the disk, and this log takes nothing more.
        case syncFailed
        /// The log was closed.
        case closed
        /// There is no log.
        case missing
        /// Not what was asked for: a malformed anchor, a forwarding that nobody knows.
        case usage
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

    /// The failure that `errno` tells.
    static func current(_ path: String, _ doing: String) -> AuditError {
        AuditError(.inputOutput, "\(path): \(doing): \(String(cString: strerror(errno)).lowercased())")
    }

    /// One lower-case line.
    public var description: String { detail }
}

extension AuditError: Equatable {
    /// Two errors are equal when their codes are.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
