import Files
import Glibc

/// A consistent copy of a SQLite file that others may be writing.
public enum SQLiteCopy {
    /// - Parameters:
    ///   - path: the file.
    ///   - target: must not exist yet; it is made with mode 0600, without free pages, and synced.
    /// - Throws: `FileError`, `DatabaseFailure`.
    public static func copy(_ path: String, to target: String) throws {
        try Connection.create(target)
        let connection = try Connection(path: path, readOnly: true, durability: .full, writeAheadLog: false)
        defer { try? connection.close() }
        // One read transaction; the target may be an empty file, which keeps its mode.
        try connection.access { try $0.execute("VACUUM INTO ?", [target]) }
        let descriptor = open(target, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.current(target, "cannot open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError.current(target, "cannot sync") }
        try PrivateFile.syncDirectory(of: target)
    }
}
