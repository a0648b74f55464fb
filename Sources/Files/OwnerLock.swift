import Glibc

/// A lock on a file that says who holds it, and that the kernel takes back when its holder dies.
///
/// `flock` and not a process number in a file: a number may be used again, a killed holder needs no one to clean
/// up, and a clock set back changes nothing.
public final class OwnerLock {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Who holds the lock: what the holder wrote when it took it.
    public struct Busy: Error, Sendable, CustomStringConvertible {
        /// The lock's file.
        public let path: String
        /// What the holder wrote: process number, host, command, since when.
        public let owner: String
        /// One lower-case line.
        public var description: String { "another run holds the lock \(path): \(owner)" }
    }

    /// Takes the lock, or says at once who has it.
    ///
    /// - Parameters:
    ///   - path: the lock's file, made with mode 0600 if it is not there.
    ///   - owner: one line for others to read.
    /// - Throws: ``Busy``, or ``FileError``.
    public static func take(_ path: String, owner: String) throws -> OwnerLock {
        let descriptor = open(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open the lock") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = errno
            defer { close(descriptor) }
            guard failure == EWOULDBLOCK else { throw FileError.current(path, "cannot lock") }
            throw Busy(path: path, owner: read(descriptor))
        }
        ftruncate(descriptor, 0)
        Array((owner + "\n").utf8).withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        return OwnerLock(descriptor)
    }

    private static func read(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
        let line = bytes[..<count].prefix { $0 != 10 }
        return line.isEmpty ? "(just starting)" : String(decoding: line, as: UTF8.self)
    }

    deinit {
        ftruncate(descriptor, 0)
        close(descriptor)
    }
}
