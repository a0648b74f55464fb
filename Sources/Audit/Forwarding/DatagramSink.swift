import Glibc

/// A Unix datagram socket: the journal's, or `/dev/log`.
final class DatagramSink: ForwardingSink {
    private let path: String
    private var descriptor: Int32 = -1

    init(path: String) { self.path = path }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func send(_ message: [UInt8]) throws {
        if descriptor < 0 { try connect() }
        while Glibc.send(descriptor, message, message.count, Int32(MSG_NOSIGNAL)) < 0 {
            if errno == EINTR { continue }
            if errno == EMSGSIZE { throw ForwardingUndeliverable() }
            let error = AuditError.current(path, "cannot send")
            close(descriptor)
            descriptor = -1
            throw error
        }
    }

    private func connect() throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard bytes.count < room.count else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw AuditError(.usage, "\(path): too long for the name of a socket") }
        let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw AuditError.current(path, "cannot make a socket") }
        SocketTimeout.set(made)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let error = AuditError.current(path, "cannot connect")
            close(made)
            throw error
        }
        descriptor = made
    }
}

/// A receiver that hangs holds the forwarding thread up for a moment only.
enum SocketTimeout {
    static func set(_ descriptor: Int32) {
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
}
