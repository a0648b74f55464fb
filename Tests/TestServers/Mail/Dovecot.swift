import Foundation
import Glibc

/// A mail server that offers one account over POP3, on two ports of this machine. It takes root.
///
/// It ends when nobody holds it any more, at the latest with the process.
package final class Dovecot: Sendable {
    /// The ports. Both lead to the same account.
    package let ports: [UInt16]
    private let folder: ServerFolder
    private let pid: pid_t

    /// - Parameters:
    ///   - user: the account's name.
    ///   - password: its password.
    ///   - messages: how many messages wait in it.
    package init(user: String, password: String, messages: Int) throws {
        folder = try ServerFolder { path in
            // The number may be another process's by now.
            """
            pid=$(cat \(path)/run/master.pid) && grep -qF \(path) "/proc/$pid/cmdline" && kill -KILL "$pid"
            """
        }
        let path = folder.path
        ports = try (0..<2).map { _ in try UInt16(Sockets.freePort()) }
        for name in ["new", "cur", "tmp"] {
            try FileManager.default.createDirectory(
                atPath: "\(path)/mail/\(user)/\(name)", withIntermediateDirectories: true)
        }
        for number in 0..<messages {
            try "From: a@mail.example\nSubject: \(number)\n\nhello\n".write(
                toFile: "\(path)/mail/\(user)/new/\(number).message", atomically: false, encoding: .utf8)
        }
        try Program.run(["chown", "-R", "nobody:nogroup", path + "/mail"])
        try "\(user):{PLAIN}\(password):\n".write(toFile: path + "/users", atomically: false, encoding: .utf8)
        try """
        base_dir = \(path)/run
        state_dir = \(path)/run
        log_path = \(path)/log
        protocols = pop3
        listen = 127.0.0.1
        ssl = no
        disable_plaintext_auth = no
        auth_failure_delay = 0
        mail_location = maildir:\(path)/mail/%u
        passdb {
          driver = passwd-file
          args = \(path)/users
        }
        userdb {
          driver = static
          args = uid=nobody gid=nogroup home=\(path)/mail/%u
        }
        service pop3-login {
          inet_listener pop3 {
            port = \(ports[0])
          }
          inet_listener other {
            port = \(ports[1])
          }
          inet_listener pop3s {
            port = 0
          }
        }

        """.write(toFile: path + "/conf", atomically: false, encoding: .utf8)
        pid = try Program.start(["/usr/sbin/dovecot", "-F", "-c", path + "/conf"])
        for port in ports { try waitUntilReady(port) }
    }

    deinit {
        folder.end()
        Glibc.kill(pid, SIGKILL)
        Program.wait(pid)
    }

    private func waitUntilReady(_ port: UInt16) throws {
        for _ in 0..<400 {
            if (try? Program.attempt(["/bin/bash", "-c", "read -r line </dev/tcp/127.0.0.1/\(port)"]))?.code == 0 {
                return
            }
            usleep(50_000)
        }
        let log = (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? ""
        throw ServerError("Dovecot does not answer: \(log.suffix(2000))")
    }
}
