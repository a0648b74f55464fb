import CSystem
import Files
import Glibc

/// Where the writers of one SQLite file queue before they begin a transaction.
///
/// SQLite's own lock is taken by polling, and a busy committer would win nearly every time. Here writers block in the
/// kernel, and the committer of a job stands back while an application waits.
///
/// Byte 0 of the lock file is the turn; on byte 1 applications hold a shared lock while they wait for it. The locks
/// belong to the open file, so that threads exclude one another too and a killed holder lets go.
final class WriterQueue {
    private let descriptor: Int32
    private let path: String

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open the writers' queue") }
    }

    deinit { close(descriptor) }

    /// Waits for the turn as an application does.
    func withTurn<R>(_ body: () throws -> R) throws -> R {
        try lock(1, F_RDLCK)
        do { try lock(0, F_WRLCK) } catch {
            unlock(1)
            throw error
        }
        unlock(1)
        defer { unlock(0) }
        return try body()
    }

    /// Waits for the turn as a job does: first of all lets applications pass that are waiting, for 5 ms at most.
    func withTurnAfterOthers<R>(_ body: () throws -> R) throws -> R {
        var patience = 25
        while patience > 0, keyroll_lock_byte(descriptor, 1, Int16(F_WRLCK), 0) != 0 {
            usleep(200)
            patience -= 1
        }
        unlock(1)
        try lock(0, F_WRLCK)
        defer { unlock(0) }
        return try body()
    }

    private func lock(_ byte: Int, _ kind: Int32) throws {
        while keyroll_lock_byte(descriptor, byte, Int16(kind), 1) != 0 {
            guard errno == EINTR else { throw FileError.current(path, "cannot wait in the writers' queue") }
        }
    }

    private func unlock(_ byte: Int) { _ = keyroll_lock_byte(descriptor, byte, Int16(F_UNLCK), 0) }
}
