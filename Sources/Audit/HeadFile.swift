import Files
import Glibc

/// `audit/head`: the file that says how far the log has to reach, and that everybody who writes to the log locks.
///
/// Two slots, each in a block of its own, so that a write that a power cut tore leaves the other one: a process writes to
/// one and the same, and to the other only after a sync. A third is written only where the root key changes, under the new one, before that is in force: at any instant one slot
/// fits the key in force.
final class HeadFile {
    static let name = "head"
    private static let stride = 4096
    private static let slots = 3
    private let path: String
    private let descriptor: Int32
    /// The counter of the last mark of this process, and its slot.
    private var last: (counter: UInt64, slot: Int)?

    /// Opens it, and makes it where it is missing.
    init(_ folder: String) throws {
        path = folder + "/" + Self.name
        let made = open(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0o600)
        if made >= 0 {
            descriptor = made
            fchmod(made, 0o600)
            return
        }
        try PrivateFile.check(path)
        descriptor = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open") }
    }

    /// Opens it to look only; nil where there is none.
    init?(reading folder: String) throws {
        path = folder + "/" + Self.name
        descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw FileError.current(path, "cannot open")
        }
    }

    deinit { close(descriptor) }

    /// Runs `body` while nobody else writes to the log.
    func locked<R>(shared: Bool = false, _ body: () throws -> R) throws -> R {
        try lock(shared: shared)
        defer { unlock() }
        return try body()
    }

    func lock(shared: Bool = false) throws {
        while flock(descriptor, shared ? LOCK_SH : LOCK_EX) != 0 {
            guard errno == EINTR else { throw AuditError.current(path, "cannot lock") }
        }
    }

    func unlock() { flock(descriptor, LOCK_UN) }

    /// The marks of all slots that are whole and sealed by this key.
    func marks(_ seal: AuditLog.Seal) throws -> [HeadMark?] {
        try (0..<Self.slots).map { slot in
            var record = [UInt8](repeating: 0, count: 1024)
            let count = pread(descriptor, &record, record.count, off_t(slot * Self.stride))
            guard count >= 0 else { throw AuditError.current(path, "cannot read") }
            return try HeadMark(record[..<count], sealedBy: seal)
        }
    }

    /// The mark that reaches farthest.
    func best(_ seal: AuditLog.Seal) throws -> HeadMark? { Self.best(try marks(seal)) }

    private static func best(_ marks: [HeadMark?]) -> HeadMark? {
        marks.compactMap { $0 }.max { ($0.position.number, $0.counter) < ($1.position.number, $1.counter) }
    }

    /// Notes a position, unless one is noted already that lies behind it. The caller holds the lock.
    ///
    /// - Throws: ``AuditError`` with `closed` where the marks are of another key by now.
    func note(_ position: AuditPosition, latest: Timestamp, _ seal: AuditLog.Seal, isNew: Bool = false) throws {
        let marks = try marks(seal)
        let present = Self.best(marks)
        guard present != nil || isNew else {
            throw AuditError(.closed, "\(path): the root key was changed meanwhile; start again")
        }
        if let present, present.position.number >= position.number, !isNew { return }
        let mark = HeadMark(
            position, latest: max(latest, present?.latest ?? latest), counter: (present?.counter ?? 0) + 1)
        try write(mark, freeSlot(marks), seal)
    }

    /// Notes a later moment at the same position. The caller holds the lock.
    func note(_ moment: Timestamp, _ seal: AuditLog.Seal) throws {
        let marks = try marks(seal)
        guard var mark = Self.best(marks), mark.latest < moment else { return }
        mark.latest = moment
        mark.counter += 1
        try write(mark, freeSlot(marks), seal)
    }

    /// The slot to write to: while nobody else wrote, the one of this process's last mark, since the other one is on the
    /// disk; else the older one, once the newer one is on the disk.
    private func freeSlot(_ marks: [HeadMark?]) throws -> Int {
        if let last, last.slot < 2, marks[last.slot]?.counter == last.counter,
            marks[1 - last.slot]?.counter ?? 0 < last.counter, marks[1 - last.slot] != nil
        {
            return last.slot
        }
        guard fdatasync(descriptor) == 0 else { throw AuditError.current(path, "cannot sync") }
        return Self.olderSlot(marks)
    }

    private static func olderSlot(_ marks: [HeadMark?]) -> Int {
        guard let first = marks[0] else { return 0 }
        guard let second = marks[1] else { return 1 }
        return first.counter < second.counter ? 0 : 1
    }

    /// Writes the present mark under the key that is about to be in force, into a slot that nobody else writes to.
    func prepare(_ seal: AuditLog.Seal, next: AuditLog.Seal) throws {
        guard var mark = try best(seal) else { return }
        mark.counter += 1
        try write(mark, 2, next)
        guard fsync(descriptor) == 0 else { throw AuditError.current(path, "cannot sync") }
    }

    /// Makes the first mark durable.
    func sync() throws {
        guard fsync(descriptor) == 0 else { throw AuditError.current(path, "cannot sync") }
        try PrivateFile.syncDirectory(of: path)
    }

    private func write(_ mark: HeadMark, _ slot: Int, _ seal: AuditLog.Seal) throws {
        var record = try mark.sealed(by: seal)
        // A fixed size, so that nothing of a longer record stays behind it.
        record += [UInt8](repeating: 0, count: max(0, 1024 - record.count))
        let count = pwrite(descriptor, record, record.count, off_t(slot * Self.stride))
        guard count == record.count else { throw AuditError.current(path, "cannot write") }
        last = (mark.counter, slot)
    }
}
