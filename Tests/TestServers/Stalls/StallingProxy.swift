import Foundation
import Glibc
import Synchronization

/// Stands between clients and a server, and can stop to forward: what a client sees of a server that hangs, or of a network
/// that loses everything, and not even says so.
package final class StallingProxy: Sendable {
    private let folder: ServerFolder
    private let forwarding: Forwarding
    private let listener: Int32
    private let server: PostgresServer
    /// The port of 127.0.0.1, if it listens there.
    package let port: Int?

    /// - Parameters:
    ///   - server: where it leads: to its socket, or to its own port of 127.0.0.1 if both sides have one.
    ///   - overTCP: whether clients reach it on a port of 127.0.0.1; on a Unix socket otherwise.
    package init(before server: PostgresServer, overTCP: Bool = false) throws {
        self.server = server
        folder = try ServerFolder { _ in "" }
        let socket = "/.s.PGSQL.\(server.port)"
        listener = try Sockets.listen(overTCP ? .port(0) : .path(folder.path + socket))
        port = overTCP ? try Sockets.port(of: listener) : nil
        let isTCP = overTCP && server.options.tcp != nil
        forwarding = Forwarding(to: isTCP ? .port(server.port) : .path(server.socketFolder + socket))
        let (listener, forwarding) = (listener, forwarding)
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                forwarding.begin(client)
            }
            close(listener)
        }
    }

    deinit {
        // Its thread sees that, and closes it.
        shutdown(listener, Int32(SHUT_RDWR))
        forwarding.end()
    }

    /// From now on nothing is forwarded. Who connects is accepted and hears nothing; nobody is cut off.
    package func stall() { forwarding.gate.set(open: false) }

    /// Forwards again, at first what was sent meanwhile.
    package func resume() { forwarding.gate.set(open: true) }

    /// How many clients connected so far.
    package var accepted: Int { forwarding.accepted.load(ordering: .relaxed) }

    /// A connection string through it. A role needs its password where the server is reached on a port of its own.
    package func connection(
        _ database: String, as user: String = PostgresServer.superuser, password: String? = nil
    ) throws -> String {
        guard let port else {
            return PostgresServer.connection(database, as: user, host: folder.path, port: server.port)
        }
        // The last port counts.
        return try server.tcpConnection(database, as: user, password: password) + " port=\(port)"
    }
}
