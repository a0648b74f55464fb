import Glibc

/// Why an export cannot go on. Two errors are equal when their ``code`` is.
public struct ExportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// The name or the context is not valid UTF-8, which JSON is written in.
        case notText
        /// The file cannot be written: the disk is full, or the reader of a pipe has gone.
        case unwritable
    }

    /// What went wrong.
    public let code: Code
    private let reason: String

    package init(_ code: Code, reason: String) {
        self.code = code
        self.reason = reason
    }

    /// One line in lower case. It never contains bytes of a secret.
    public var description: String { reason }

    /// Compares the codes only.
    public static func == (left: ExportError, right: ExportError) -> Bool { left.code == right.code }
}
