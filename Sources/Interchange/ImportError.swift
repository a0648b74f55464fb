import Glibc

/// Why an import cannot go on with a file at all. What is wrong with one record is an ``ImportProblem`` instead.
///
/// Two errors are equal when their ``code`` is: the rest is for people.
public struct ImportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Code: Sendable, Hashable {
        /// There is nothing at this path.
        case noSuchPath
        /// The file or folder cannot be opened or read.
        case unreadable
        /// Neither the caller nor the extension says how to read this file.
        case unknownFormat
        /// A folder where a file is needed, or a device, socket or pipe where a file or folder is needed.
        case wrongKind
        /// Standard input was to be read as a secret of its own, but it has no name.
        case standardInputHasNoName
        /// The file is UTF-16, not UTF-8.
        case wrongEncoding
        /// A CSV file's header does not name the columns that are needed.
        case headerLacksColumns
        /// A CSV file's header names a column twice, and it is not clear which one counts.
        case headerRepeatsColumn
        /// A CSV file's header is not a row of RFC 4180, or one of more than 1024 columns.
        case headerMalformed
    }

    /// What went wrong.
    public let code: Code
    /// The file, as a person would name it.
    public let file: String
    /// The line, from 1, where the failure has one.
    public let line: Int?
    /// What is wrong and what to do about it, without the file.
    public let reason: String

    package init(_ code: Code, file: String, line: Int? = nil, reason: String) {
        self.code = code
        self.file = file
        self.line = line
        self.reason = reason
    }

    /// One line in lower case: the file, the line if there is one, what is wrong and what to do about it.
    public var description: String {
        guard let line else { return "\(file): \(reason)" }
        return "\(file):\(line): \(reason)"
    }

    /// Compares the codes only.
    public static func == (left: ImportError, right: ImportError) -> Bool { left.code == right.code }
}

extension ImportError {
    /// The error for a failed system call on `file`.
    static func unreadable(_ file: String, line: Int? = nil, errno code: Int32) -> ImportError {
        switch code {
        case ENOENT, ENOTDIR:
            ImportError(.noSuchPath, file: file, reason: "no such file or folder: check the path")
        case EACCES, EPERM:
            ImportError(.unreadable, file: file, line: line, reason: "may not be read: check owner and mode")
        default:
            ImportError(.unreadable, file: file, line: line, reason: "cannot be read: \(systemReason(code))")
        }
    }
}
