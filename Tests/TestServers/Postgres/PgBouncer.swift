import Foundation
import Glibc

/// PgBouncer before a server, in transaction mode: two transactions of one client may run in two sessions of the server.
///
/// It trusts anybody to be any role of the server's, on a Unix socket. It ends when nobody holds it any more, at the latest
/// with the process.
package final class PgBouncer: Sendable {
    /// The folder with the socket, as libpq's `host`.
    package let socketFolder: String
    private let folder: ServerFolder
    private let pid: Int32
    private static let program = "/usr/sbin/pgbouncer"
    private static let port = 6432

    /// - Parameters:
    ///   - server: where it leads.
    ///   - settings: more lines of the section `[pgbouncer]`, which win over those of the tests.
    package init(before server: PostgresServer, settings: [String] = []) throws {
        guard FileManager.default.isExecutableFile(atPath: Self.program) else {
            throw ServerError("PgBouncer is not installed: make test installs it (apt-get install pgbouncer)")
        }
        folder = try ServerFolder { path in
            // The number may be another process's by now.
            """
            pid=$(cat \(path)/run/pid) && grep -qF \(path) "/proc/$pid/cmdline" && kill -KILL "$pid"
            """
        }
        let place = folder.path + "/run"
        socketFolder = place
        try ServerUser.makeFolder(place, mode: 0o755)
        let configuration =
            [
                "[databases]", "* = host=\(server.socketFolder) port=\(server.port)",
                "[pgbouncer]", "unix_socket_dir = \(place)", "unix_socket_mode = 0777", "listen_port = \(Self.port)",
                "pidfile = \(place)/pid", "pool_mode = transaction",
                "auth_type = trust", "auth_file = \(place)/users",
                // Roles that the file does not name are looked up in the server.
                "auth_user = \(PostgresServer.superuser)",
            ] + settings
        try Self.write(configuration, to: place + "/ini")
        try Self.write(["\"\(PostgresServer.superuser)\" \"\""], to: place + "/users")
        // Without -q it writes all to standard error too, what it cannot write to its log among it.
        let output = open(place + "/output", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        defer { close(output) }
        pid = try Program.start(
            ServerUser.command([Self.program, place + "/ini"]), descriptors: [1: output, 2: output])
        try waitUntilReady()
    }

    deinit {
        folder.end()
        // Where it never wrote its number, the folder's end did not find it.
        Glibc.kill(pid, SIGKILL)
        Program.wait(pid)
    }

    /// A connection string through it.
    package func connection(_ database: String, as user: String = PostgresServer.superuser) -> String {
        PostgresServer.connection(database, as: user, host: socketFolder, port: Self.port)
    }

    /// The same.
    package func connection(_ database: Database, as user: String = PostgresServer.superuser) -> String {
        connection(database.name, as: user)
    }

    private static func write(_ lines: [String], to file: String) throws {
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: false, encoding: .utf8)
        try ServerUser.give(file)
    }

    private func waitUntilReady() throws {
        var last: any Error = ServerError("")
        for _ in 0..<200 {
            do {
                try PostgresServer.run("SELECT 1", connection: connection("postgres"))
                return
            } catch { last = error }
            usleep(50_000)
        }
        let log = (try? String(contentsOfFile: socketFolder + "/output", encoding: .utf8)) ?? ""
        throw ServerError("PgBouncer does not answer: \(last)\n\(log.suffix(2000))")
    }
}
