import Access
import Glibc
import Home
import KeyManagement
import Keyroll

/// What a broker works by at one moment: the open home and the policy. A change makes a new one.
final class Standing: Sendable {
    let home: Home
    let group: KeyGroup
    let rules: AccessRules
    /// The policy's revision and the configuration's file, to see whether they changed.
    let revision: UInt64
    let configuration: Stamp

    /// When a file was last written.
    struct Stamp: Sendable, Equatable {
        var seconds: Int
        var nanoseconds: Int
        var inode: UInt64

        init(_ path: String) {
            var status = stat()
            _ = stat(path, &status)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
            inode = UInt64(status.st_ino)
        }
    }

    /// - Throws: `AccessError` with `policy` where there is none.
    init(_ home: Home) throws {
        configuration = Stamp(home.layout.configuration)
        guard let policy = try home.accessPolicy() else {
            throw AccessError(
                .policy,
                "group \(home.configuration.group) has no policy of access yet; write and sign one: keyroll access policy template"
            )
        }
        self.home = home
        group = KeyGroup(home)
        rules = AccessRules(policy)
        revision = policy.revision
    }
}
