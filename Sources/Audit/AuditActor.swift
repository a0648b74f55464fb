import Glibc

/// Who did it, as the kernel tells.
public struct AuditActor: Sendable, Equatable {
    /// The real user.
    public var uid: UInt32
    /// The user's name; the number where there is none.
    public var user: String
    /// The process.
    public var pid: Int32
    /// The program that ran.
    public var executable: String

    /// - Parameters:
    ///   - uid: the real user.
    ///   - user: the user's name.
    ///   - pid: the process.
    ///   - executable: the program that ran.
    public init(uid: UInt32, user: String, pid: Int32, executable: String) {
        self.uid = uid
        self.user = user
        self.pid = pid
        self.executable = executable
    }

    /// This process.
    public static func own() -> AuditActor {
        let uid = getuid()
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 16384)
        let user =
            getpwuid_r(uid, &record, &room, room.count, &found) == 0 && found != nil
            ? String(cString: record.pw_name) : String(uid)
        var path = [UInt8](repeating: 0, count: 4096)
        let count = path.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return AuditActor(
            uid: uid, user: user, pid: getpid(), executable: String(decoding: path[..<max(0, count)], as: UTF8.self))
    }

    /// For whom a broker runs this process, as user and number; nil where it was started by itself.
    public static var askedBy: String? { getenv("KEYROLL_ASKED_BY").map { String(cString: $0) } }
}
