import Glibc

/// Files and folders that nobody but their owner may read: 0600 and 0700, no links, the right owner.
public enum PrivateFile {
    /// Fails unless `path` is a regular file of this user (or root's) that group and others cannot touch.
    ///
    /// - Throws: ``FileError`` with `missing`, `notPermitted` or `unsafe`; as `ssh` does, it says how to mend it.
    public static func check(_ path: String) throws {
        let status = try status(path)
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(.unsafe, path, "is not a regular file (a link or device is refused)")
        }
        try checkOwner(status, path)
        guard status.st_mode & 0o077 == 0 else {
            throw FileError(
                .unsafe, path, "others can reach it (mode \(octal(status.st_mode))); run: chmod 600 '\(path)'")
        }
    }

    /// The same for a folder.
    public static func checkDirectory(_ path: String) throws {
        let status = try status(path)
        guard status.st_mode & S_IFMT == S_IFDIR else { throw FileError(.unsafe, path, "is not a folder") }
        try checkOwner(status, path)
        guard status.st_mode & 0o077 == 0 else {
            throw FileError(
                .unsafe, path, "others can reach it (mode \(octal(status.st_mode))); run: chmod 700 '\(path)'")
        }
    }

    /// Makes a folder with mode 0700 whatever the umask is; the folders above it as well where they are missing.
    public static func makeDirectory(_ path: String) throws {
        var built = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            built += "/" + part
            if mkdir(built, 0o700) == 0 {
                try syncDirectory(of: built)
            } else if errno != EEXIST {
                throw FileError.current(built, "cannot make the folder")
            }
        }
    }

    /// Makes an empty file with mode 0600 that did not exist.
    public static func create(_ path: String) throws {
        let descriptor = open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0o600)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot create") }
        fchmod(descriptor, 0o600)
        close(descriptor)
    }

    /// Writes a whole file so that either the old or the new one is there at any instant, power loss included:
    /// a temporary name, synced, renamed, and the folder synced.
    public static func write(_ path: String, _ bytes: UnsafeRawBufferPointer, replacing: Bool) throws {
        let temporary = temporaryName(beside: path)
        let descriptor = open(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0o600)
        guard descriptor >= 0 else { throw FileError.current(temporary, "cannot create") }
        var finished = false
        defer { if !finished { unlink(temporary) } }
        do {
            defer { close(descriptor) }
            fchmod(descriptor, 0o600)
            try writeAll(descriptor, bytes, path: temporary)
            guard fsync(descriptor) == 0 else { throw FileError.current(temporary, "cannot sync") }
        }
        if replacing {
            guard rename(temporary, path) == 0 else { throw FileError.current(path, "cannot rename into place") }
        } else {
            guard link(temporary, path) == 0 else { throw FileError.current(path, "cannot create") }
            unlink(temporary)
        }
        finished = true
        try syncDirectory(of: path)
    }

    /// A whole file that everybody may see, whatever its mode is.
    ///
    /// - Parameters:
    ///   - path: the file; a link is followed, a device or a pipe is refused.
    ///   - limit: the most bytes it may have.
    /// - Returns: nil where it has more.
    public static func read(_ path: String, limit: Int) throws -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError.current(path, "cannot look") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(.unsafe, path, "is not a regular file") }
        guard status.st_size <= limit else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var used = 0
        while used < bytes.count {
            let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + used, $0.count - used) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError.current(path, "cannot read") }
            guard count > 0 else { break }
            used += count
        }
        return Array(bytes[..<used])
    }

    /// Writes all bytes to an open descriptor, interrupted calls and short writes included.
    public static func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, path: String) throws {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.current(path, "cannot write")
            }
            done += count
        }
    }

    /// Syncs the folder that a file lies in, so that its name survives a power cut.
    public static func syncDirectory(of path: String) throws {
        let parent = parent(of: path)
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.current(parent, "cannot open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError.current(parent, "cannot sync") }
    }

    /// The folder a path lies in.
    public static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether something is there, links not followed.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// As ``exists(_:)``, but says so where this user may not look.
    ///
    /// - Throws: ``FileError`` with `notPermitted`.
    public static func isThere(_ path: String) throws -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw FileError.current(path, "cannot look") }
        return false
    }

    /// A name beside `path` that nobody else uses: not by the process's number, which a container uses again.
    public static func temporaryName(beside path: String) -> String {
        path + ".new-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }

    private static func status(_ path: String) throws -> stat {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw FileError.current(path, "cannot find") }
        return status
    }

    private static func checkOwner(_ status: stat, _ path: String) throws {
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw FileError(
                .unsafe, path, "belongs to another user (uid \(status.st_uid)); run: chown \(geteuid()) '\(path)'")
        }
    }

    private static func octal(_ mode: mode_t) -> String {
        let digits = String(mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
