import Glibc

/// What went wrong with a file: the path, what was being done, and what to do about it.
public struct FileError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller can tell apart.
    public enum Code: Sendable {
        /// There is no such file or folder.
        case missing
        /// It exists already.
        case exists
        /// The operating system does not let this user.
        case notPermitted
        /// Others may read or change it, or it is not what it should be (a link, another owner's).
        case unsafe
        /// The disk is full, or the device failed.
        case inputOutput
    }

    /// What kind of failure it is.
    public let code: Code
    /// The file.
    public let path: String
    private let detail: String

    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - path: the file.
    ///   - detail: what is wrong and what to do, in lower case.
    public init(_ code: Code, _ path: String, _ detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// The failure that `errno` tells.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - doing: what was tried, as in "cannot open".
    public static func current(_ path: String, _ doing: String) -> FileError {
        let number = errno
        let code: Code =
            switch number {
            case ENOENT, ENOTDIR: .missing
            case EEXIST: .exists
            case EACCES, EPERM: .notPermitted
            case ELOOP: .unsafe
            default: .inputOutput
            }
        return FileError(code, path, "\(doing): \(String(cString: strerror(number)).lowercased())")
    }

    /// One lower-case line.
    public var description: String { "\(path): \(detail)" }
}
