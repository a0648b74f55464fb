import Foundation
import Glibc
import Synchronization

/// Real users of this machine, made for the tests once and used again.
enum TestUser: String, CaseIterable, Sendable {
    /// The broker's own: it alone has the home.
    case broker = "krtest-broker"
    /// A service account; what it may it may by a supplementary group.
    case service = "krtest-svc"
    case `operator` = "krtest-oper"
    case auditor = "krtest-audit"
    case owner = "krtest-owner"
    case security = "krtest-sec"
    /// Another one of that level.
    case guardian = "krtest-guard"
    case legal = "krtest-legal"
    case engineer = "krtest-eng"
    /// In no group that a policy names.
    case outsider = "krtest-out"

    /// The supplementary group of ``service``.
    static let services = "krtest-apps"

    /// Whether there are such users here: making them takes root.
    static let areThere: Bool = {
        guard geteuid() == 0 else { return false }
        do { try make() } catch {
            print("cannot make users: \(error)")
            return false
        }
        return true
    }()

    /// What a suite says where there are none.
    static let notice = "NOT RUN: the broker's tests make real Unix users and run as them, which takes root"

    var uid: UInt32 { getpwnam(rawValue)!.pointee.pw_uid }
    var gid: UInt32 { getpwnam(rawValue)!.pointee.pw_gid }

    /// A command that runs as this user, in a folder that everybody can enter.
    func command(_ words: [String]) -> [String] {
        ["/usr/bin/setpriv", "--reuid", rawValue, "--regid", rawValue, "--init-groups"] + words
    }

    private static func make() throws {
        if getgrnam(services) == nil { try run(["/usr/sbin/groupadd", services]) { getgrnam(services) != nil } }
        for user in allCases where getpwnam(user.rawValue) == nil {
            let more = user == .service ? ["-G", services] : []
            try run(["/usr/sbin/useradd", "-M", "-U", "-s", "/usr/sbin/nologin"] + more + [user.rawValue]) {
                getpwnam(user.rawValue) != nil
            }
        }
    }

    /// Another run of the tests may be making the same ones, and have the databases locked.
    private static func run(_ words: [String], until isDone: () -> Bool) throws {
        for _ in 0..<20 {
            let outcome = try Child(words[0], Array(words.dropFirst()), environment: ["PATH": "/usr/sbin:/usr/bin"])
                .wait()
            if outcome.code == 0 || isDone() { return }
            usleep(250_000)
        }
        throw POSIXError(.EAGAIN)
    }
}
