import Access
import CSystem
import Glibc
import Synchronization

/// Who is at the other end of a connection, as the kernel noted when it was made.
///
/// A process that hands its connection on hands its rights on, as with an open file.
final class Peers: Sendable {
    private let names = Mutex<[UInt32: (name: String, until: Double)]>([:])

    /// - Returns: nil where the kernel does not say.
    func caller(_ descriptor: Int32) -> Caller? {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        guard keyroll_peer(descriptor, &pid, &uid, &gid) == 0 else { return nil }
        var groups = [UInt32](repeating: 0, count: 64)
        var count = keyroll_peer_groups(descriptor, &groups, Int32(groups.count))
        if count < 0, errno == ERANGE {
            // The most that Linux lets a process have.
            groups = [UInt32](repeating: 0, count: 65_536)
            count = keyroll_peer_groups(descriptor, &groups, Int32(groups.count))
        }
        guard count >= 0 else { return nil }
        return Caller(
            uid: uid, user: name(uid), groups: [gid] + groups[..<Int(count)], pid: pid, executable: Self.executable(pid)
        )
    }

    /// Looked up once a minute: where users come from a directory, a look may take a while.
    private func name(_ uid: UInt32) -> String {
        let now = Monotonic.now
        if let known = names.withLock({ $0[uid] }), known.until > now { return known.name }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 1 << 14)
        let isKnown = getpwuid_r(uid, &entry, &room, room.count, &found) == 0 && found != nil
        let name = isKnown ? String(cString: entry.pw_name) : String(uid)
        names.withLock { names in
            if names.count > 4096 { names.removeAll() }
            names[uid] = (name, now + 60)
        }
        return name
    }

    /// What a process runs: its file where this user may see it, else the name it has in the kernel's list. For the log
    /// only; nothing is decided by it.
    private static func executable(_ pid: Int32) -> String {
        var path = [UInt8](repeating: 0, count: 1024)
        let count = path.withUnsafeMutableBytes {
            readlink("/proc/\(pid)/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        if count > 0 { return String(decoding: path[..<count], as: UTF8.self) }
        let descriptor = open("/proc/\(pid)/comm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        let length = path.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, 64) }
        return length > 0 ? String(decoding: path[..<length].prefix { $0 != 10 }, as: UTF8.self) : ""
    }
}
