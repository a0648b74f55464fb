import Files
import Glibc

/// Held from the first to the last copy of one commit, so that two writers never interleave their copies.
struct CommitLock {
    private let descriptor: Int32

    init(_ path: String, isShared: Bool = false) throws {
        descriptor = open(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open the lock") }
        while flock(descriptor, isShared ? LOCK_SH : LOCK_EX) != 0 {
            guard errno == EINTR else {
                let error = FileError.current(path, "cannot lock")
                close(descriptor)
                throw error
            }
        }
    }

    func release() { close(descriptor) }
}
