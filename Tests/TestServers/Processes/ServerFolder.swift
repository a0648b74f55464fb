import Foundation
import Glibc
import Synchronization

/// A server's folder, and what makes sure that neither of them outlives the test's process, whatever way that ends.
///
/// A watcher in a session of its own waits until what it reads from us is at its end, which the kernel sees to even where the process was
/// killed. Then it runs the folder's `end.sh` and removes the folder. Its path is short: it holds sockets, whose paths may
/// have 107 bytes.
final class ServerFolder: Sendable {
    let path: String
    private let watcher: pid_t
    private let ourEnd: Mutex<Int32>

    private static let prefix = "keyroll-server-"

    /// - Parameter ending: the shell's words that end what runs in the folder with this path, and remove what lies outside.
    init(ending: (String) -> String) throws {
        Self.removeStale
        path = try Self.make()
        // Held by the watcher too, so that it is free only when both are gone.
        let lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw ServerError("cannot lock \(path)") }
        defer { close(lock) }
        try Data(ending(path).utf8).write(to: URL(fileURLWithPath: path + "/end.sh"))

        var ends: [Int32] = [0, 0]
        // Close-on-exec from the start, as a child that held our end would keep the watcher waiting: no pipe here can do that.
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw ServerError("no pair of sockets") }
        defer { close(ends[0]) }
        ourEnd = Mutex(ends[1])
        let script = "trap '' HUP INT TERM; while read -r line; do :; done; \(Self.removal)"
        watcher = try Program.start(["/bin/sh", "-c", script, "sh", path], descriptors: [0: ends[0], 9: lock])
    }

    deinit { end() }

    /// Ends what runs in it and removes it; harmless when it is done again.
    func end() {
        let isOpen = ourEnd.withLock { file in
            guard file >= 0 else { return false }
            close(file)
            file = -1
            return true
        }
        if isOpen { Program.wait(watcher) }
    }

    private static let removal = #"sh "$1/end.sh"; rm -rf "$1""#

    /// Memory is faster than a disk, where there is enough of it; a container's `/dev/shm` may have 64 MiB.
    private static let parent: String = {
        var status = statvfs()
        guard statvfs("/dev/shm", &status) == 0, access("/dev/shm", W_OK) == 0 else { return "/tmp" }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) > 2 << 30 ? "/dev/shm" : "/tmp"
    }()

    private static func make() throws -> String {
        var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ServerError("cannot make a folder in \(parent)") }
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        // Servers and clients of other users pass through it.
        chmod(path, 0o755)
        return path
    }

    /// Folders whose watcher was killed too are removed once a process.
    private static let removeStale: Void = {
        for parent in ["/dev/shm", "/tmp"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
            for name in names where name.hasPrefix(prefix) {
                let path = "\(parent)/\(name)"
                var status = stat()
                // One that was just made may not be locked yet.
                guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
                    time(nil) - status.st_mtim.tv_sec > 60
                else { continue }
                let lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                guard lock >= 0 else { continue }
                defer { close(lock) }
                guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { continue }
                _ = try? Program.attempt(["/bin/sh", "-c", removal, "sh", path])
            }
        }
    }()
}

extension String {
    /// As one word of the shell's.
    var quoted: String { "'" + replacing("'", with: #"'\''"#) + "'" }
}
