import Foundation
import Glibc
import Synchronization

/// A PostgreSQL cluster of a test's own: real programs, an empty data folder, a Unix socket in a private folder.
///
/// On the socket anybody is trusted to be any role, so that a test can be each of them. It does not sync to disk, unless
/// ``Options/configuration`` says so: what was committed outlives ``kill()``, not the machine.
package final class PostgresServer: Sendable {
    /// The superuser.
    package static let superuser = "postgres"

    /// The folder with the socket, as libpq's `host`.
    package let socketFolder: String
    /// The port: part of the socket's name, and where ``Options/tcp`` asks for it a port of 127.0.0.1.
    package let port: Int
    package let options: Options
    let folder: ServerFolder
    let data: String
    private let databases = Mutex(0)

    private static let common = Result { try PostgresServer() }

    /// The one that all tests of a process share. It starts when it is first asked for, and ends with the process.
    package static var shared: PostgresServer { get throws { try common.get() } }

    /// Makes a cluster and starts it. It ends when nobody holds it any more, at the latest with the process.
    package convenience init(_ options: Options = Options()) throws {
        try self.init(options) { data in
            let initdb = try [
                PostgresPrograms.path("initdb"), "-D", data, "-U", Self.superuser, "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth=trust", "--no-sync", "--no-instructions", "--wal-segsize=4",
            ]
            try Program.run(ServerUser.command(initdb))
        }
    }

    /// - Parameter fill: fills the data folder.
    init(_ options: Options, fill: (String) throws -> Void) throws {
        self.options = options
        let control = try PostgresPrograms.path("pg_ctl")
        let elsewhere = options.parent.map { "\($0)/keyroll-data-\(UUID().uuidString)" }
        folder = try ServerFolder { path in
            let data = elsewhere ?? path + "/data"
            let stop = ServerUser.command([control, "stop", "-D", data, "-m", "immediate", "-t", "20"])
            return stop.map(\.quoted).joined(separator: " ") + "\nrm -rf \(data.quoted)\n"
        }
        data = elsewhere ?? folder.path + "/data"
        socketFolder = folder.path + "/socket"
        port = try options.tcp == nil ? 5432 : Sockets.freePort()
        try ServerUser.makeFolder(data)
        try ServerUser.makeFolder(socketFolder, mode: 0o755)
        try fill(data)
        try configure()
        try start()
    }

    /// Starts it again after ``stop(_:)`` or ``kill()``, and waits until it answers.
    package func start() throws {
        // PostgreSQL believes that it still runs when the number in these belongs to a process, such as one that was killed
        // and that nobody waited for.
        if wasKilled.exchange(false, ordering: .relaxed) {
            unlink(data + "/postmaster.pid")
            unlink("\(socketFolder)/.s.PGSQL.\(port).lock")
        }
        let log = data + "/server.log"
        do { try control("start", "-w", "-t", "60", "-l", log) } catch {
            let lines = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw ServerError("\(error)\n\(lines.suffix(4000))")
        }
    }

    /// How a server is stopped.
    package enum Shutdown: String, Sendable {
        /// When the last client has gone.
        case smart
        /// Clients are cut off, and what they began is rolled back.
        case fast
        /// At once; the next start recovers.
        case immediate
    }

    /// Stops it and waits for its end.
    package func stop(_ mode: Shutdown = .fast) throws { try control("stop", "-w", "-t", "60", "-m", mode.rawValue) }

    private func control(_ words: String...) throws {
        let command = try [PostgresPrograms.path("pg_ctl"), "-D", data, "-s"] + words
        try Program.run(ServerUser.command(command))
    }

    /// Whether ``kill()`` was the last that happened to it.
    let wasKilled = Atomic(false)

    /// A fresh, empty database.
    ///
    /// - Parameter options: more of `CREATE DATABASE`, such as `LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`.
    package func database(_ options: String = "") throws -> Database {
        let number = databases.withLock { count in
            count += 1
            return count
        }
        let name = "keyroll_\(number)"
        try run("CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'UTF8' \(options)")
        return Database(server: self, name: name)
    }

    /// A database that is there already, as on a standby.
    package func database(named name: String) -> Database { Database(server: self, name: name) }

    /// Makes a role that can log in.
    ///
    /// - Parameter options: more of `CREATE ROLE`, such as `PASSWORD 'secret' CONNECTION LIMIT 1`.
    package func role(_ name: String, _ options: String = "") throws {
        try run("CREATE ROLE \(Self.identifier(name)) LOGIN \(options)")
    }

    /// A name as SQL writes it where it stands for a table, a column or a role.
    package static func identifier(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
}
