import BrokerWire
import Files
import Glibc

/// The socket that clients connect to: handed over by the service manager (sd_listen_fds(3)), or made here.
final class ListeningSocket: Sendable {
    let descriptor: Int32
    /// The file to remove at the end, where it was made here.
    private let path: String?

    /// - Throws: `FileError`.
    init(path: String) throws {
        if let inherited = Self.inherited {
            _ = fcntl(inherited, F_SETFD, FD_CLOEXEC)
            _ = fcntl(inherited, F_SETFL, fcntl(inherited, F_GETFL) | O_NONBLOCK)
            descriptor = inherited
            self.path = nil
            return
        }
        let folder = PrivateFile.parent(of: path)
        if !PrivateFile.exists(folder) {
            try PrivateFile.makeDirectory(folder)
            // Everybody may come to the socket and ask; what is asked for is decided there.
            chmod(folder, 0o755)
        }
        let made = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard made >= 0 else { throw FileError.current(path, "cannot make a socket") }
        do {
            try Self.removeAbandoned(path)
            guard let bound = SocketAddress.with(path, { bind(made, $0, $1) }) else {
                throw FileError(.inputOutput, path, "is too long for a socket's path (107 bytes)")
            }
            guard bound == 0 else { throw FileError.current(path, "cannot bind the socket") }
            guard chmod(path, 0o666) == 0, listen(made, 4096) == 0 else {
                throw FileError.current(path, "cannot listen")
            }
        } catch {
            close(made)
            throw error
        }
        descriptor = made
        self.path = path
    }

    private static var inherited: Int32? {
        func number(_ name: String) -> Int32? { getenv(name).flatMap { Int32(String(cString: $0)) } }
        guard number("LISTEN_PID") == getpid(), let count = number("LISTEN_FDS"), count >= 1 else { return nil }
        // Those behind it are none of ours; a child must not take the first for its own either.
        unsetenv("LISTEN_PID")
        unsetenv("LISTEN_FDS")
        return 3
    }

    /// A broker that was killed leaves its socket behind: where nobody answers, it goes.
    private static func removeAbandoned(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw FileError(.exists, path, "is there and is no socket") }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(probe) }
        let answer = SocketAddress.with(path) { connect(probe, $0, $1) }
        guard answer != 0 else { throw FileError(.exists, path, "another broker answers here") }
        guard errno == ECONNREFUSED else { throw FileError.current(path, "cannot tell whether a broker answers here") }
        unlink(path)
    }

    func end() {
        if let path { unlink(path) }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    deinit { close(descriptor) }
}
