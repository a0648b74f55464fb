import Foundation
import Glibc
import Synchronization

/// A proxy's connections: two threads each, so that neither direction waits for the other.
final class Forwarding: Sendable {
    let gate = Gate()
    let accepted = Atomic(0)
    private let target: Sockets.Address
    private let open = Mutex<Set<Int32>?>([])

    init(to target: Sockets.Address) { self.target = target }

    /// Serves a client from now on.
    func begin(_ client: Int32) {
        accepted.add(1, ordering: .relaxed)
        guard register(client) else { return }
        Thread.detachNewThread { [self] in
            gate.pass()
            guard let server = try? Sockets.connect(target) else { return close([client]) }
            guard register(server) else { return close([client]) }
            let ended = DispatchSemaphore(value: 0)
            Thread.detachNewThread { [self] in
                move(from: server, to: client)
                ended.signal()
            }
            move(from: client, to: server)
            ended.wait()
            close([client, server])
        }
    }

    /// Forwards one direction until its end, which it passes on.
    private func move(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            gate.pass()
            guard count > 0 else { break }
            var done = 0
            while done < count {
                let sent = buffer.withUnsafeBytes {
                    send(target, $0.baseAddress! + done, count - done, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { break }
                done += sent
            }
            if done < count { break }
        }
        shutdown(target, Int32(SHUT_WR))
        // Whoever still writes to it would wait for ever.
        shutdown(source, Int32(SHUT_RD))
    }

    /// Cuts off everybody; each thread closes what it has.
    func end() {
        open.withLock { sockets in
            for socket in sockets ?? [] { shutdown(socket, Int32(SHUT_RDWR)) }
            sockets = nil
        }
        gate.set(open: true)
    }

    /// - Returns: whether it is served: not after the end, when it is closed at once.
    private func register(_ socket: Int32) -> Bool {
        let isServed = open.withLock { sockets in
            guard sockets != nil else { return false }
            sockets?.insert(socket)
            return true
        }
        if !isServed { Glibc.close(socket) }
        return isServed
    }

    private func close(_ sockets: [Int32]) {
        open.withLock { known in
            for socket in sockets {
                known?.remove(socket)
                Glibc.close(socket)
            }
        }
    }
}
