import CSQLite
import Files
import Glibc

/// What went wrong with an SQLite file, in the words that a person and an exit code need.
public struct DatabaseFailure: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller can tell apart.
    public enum Code: Sendable {
        /// The disk is full, or a quota is used up.
        case full
        /// A read, a write or a sync failed.
        case inputOutput
        /// The file is no database, or its pages contradict each other.
        case damaged
        /// Another process held the database for longer than the time limit.
        case busy
        /// The file cannot be opened or written by this user.
        case notPermitted
        /// There is no such file.
        case missing
        /// A fault of keyroll's own.
        case internalError
    }

    /// What kind of failure it is.
    public let code: Code
    /// The database's file.
    public let path: String
    private let detail: String

    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - path: the database's file.
    ///   - detail: what is wrong, in lower case.
    public init(_ code: Code, path: String, _ detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// What SQLite's result code means.
    public init(resultCode: Int32, path: String, message: String) {
        let code: Code =
            switch resultCode & 0xFF {
            case SQLITE_FULL: .full
            // No room for the shared-memory file of the write-ahead log (SQLITE_IOERR_SHMSIZE).
            case SQLITE_IOERR where resultCode == SQLITE_IOERR | (19 << 8): .full
            case SQLITE_IOERR: .inputOutput
            case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT: .damaged
            case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .busy
            // A device that fails or has no room gives this, too; then nothing is wrong with anybody's rights.
            case SQLITE_CANTOPEN where Self.mayWrite(path): .inputOutput
            case SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH, SQLITE_CANTOPEN: .notPermitted
            case SQLITE_NOMEM: .inputOutput
            default: .internalError
            }
        self.init(code, path: path, "\(message) (SQLite code \(resultCode))")
    }

    private static func mayWrite(_ path: String) -> Bool {
        access(path, R_OK | W_OK) == 0 && access(PrivateFile.parent(of: path), W_OK | X_OK) == 0
    }

    /// One lower-case line with what to do.
    public var description: String {
        let advice =
            switch code {
            case .full: "; make room and run it again: nothing was lost"
            case .inputOutput: "; check the disk and run it again"
            case .damaged: "; the file is damaged: run keyroll doctor"
            case .busy: "; another program holds the database: try again"
            case .notPermitted: "; check who owns the file and its mode"
            case .missing: ""
            case .internalError: "; this is a fault of keyroll"
            }
        return "\(path): \(detail)\(advice)"
    }
}
