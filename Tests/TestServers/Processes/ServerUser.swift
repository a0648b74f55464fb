import Glibc

/// The user that a server runs as: PostgreSQL and PgBouncer refuse to be root.
enum ServerUser {
    /// Its name, and its numbers: `postgres`, else `nobody`, for root; whoever the test is otherwise.
    static let name: String? = geteuid() == 0 ? (getpwnam("postgres") == nil ? "nobody" : "postgres") : nil

    /// A command that runs as this user, in a folder that every user can enter.
    static func command(_ words: [String]) -> [String] {
        let moved = ["/usr/bin/env", "-C", "/"]
        guard let name else { return moved + words }
        return moved + ["/usr/bin/setpriv", "--reuid", name, "--regid", name, "--init-groups"] + words
    }

    /// Makes a folder that only this user may change.
    static func makeFolder(_ path: String, mode: mode_t = 0o700) throws {
        guard mkdir(path, mode) == 0, chmod(path, mode) == 0 else {
            throw ServerError("cannot make the folder \(path): \(String(cString: strerror(errno)))")
        }
        try give(path)
    }

    /// Makes this user the owner of a file or folder.
    static func give(_ path: String) throws {
        guard let name else { return }
        guard let entry = getpwnam(name), chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
            throw ServerError("cannot give \(path) to \(name)")
        }
    }
}
