import Glibc

/// Files with nothing sensitive in them, for other users' programs to read.
public enum PublicFile {
    /// Writes a whole file with mode 0644 so that whoever reads sees either the old or the new one.
    ///
    /// A temporary name beside it that begins with a dot, then a rename: node_exporter reads `*.prom` alone. A device, a
    /// pipe or a link, such as `/dev/null` or `/dev/stdout`, is written to and never replaced.
    ///
    /// - Throws: ``FileError``; the old file is still there then.
    public static func write(_ path: String, _ bytes: UnsafeRawBufferPointer) throws {
        if try writeToSpecial(path, bytes) { return }
        let parent = PrivateFile.parent(of: path)
        let temporary = "\(parent)/.keyroll-\(String(UInt64.random(in: .min ... .max), radix: 16)).tmp"
        let descriptor = open(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0o644)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot create a file beside it") }
        var finished = false
        defer { if !finished { unlink(temporary) } }
        do {
            defer { close(descriptor) }
            fchmod(descriptor, 0o644)
            try PrivateFile.writeAll(descriptor, bytes, path: path)
            guard fsync(descriptor) == 0 else { throw FileError.current(path, "cannot sync") }
        }
        guard rename(temporary, path) == 0 else { throw FileError.current(path, "cannot rename into place") }
        finished = true
    }

    /// Writes to what is there and is no regular file, or a link: a rename would put a file in its place.
    ///
    /// - Returns: false where there is nothing, or a regular file.
    public static func writeToSpecial(_ path: String, _ bytes: UnsafeRawBufferPointer) throws -> Bool {
        var status = Glibc.stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return false }
        let descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open") }
        defer { close(descriptor) }
        try PrivateFile.writeAll(descriptor, bytes, path: path)
        return true
    }
}
