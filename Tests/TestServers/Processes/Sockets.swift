import Glibc

/// Stream sockets, each closed on exec: on a path, or on a port of 127.0.0.1.
enum Sockets {
    /// Where one listens.
    enum Address: Sendable {
        case path(String)
        case port(Int)
    }

    /// A port that nobody has.
    static func freePort() throws -> Int {
        let socket = try listen(.port(0))
        defer { close(socket) }
        return try port(of: socket)
    }

    /// - Parameter address: port 0 stands for any that is free.
    static func listen(_ address: Address) throws -> Int32 {
        let socket = try make(address)
        guard with(address, { bind(socket, $0, $1) }) == 0, Glibc.listen(socket, 128) == 0 else {
            close(socket)
            throw ServerError("cannot listen on \(address): \(String(cString: strerror(errno)))")
        }
        // Clients of other users connect to it.
        if case .path(let path) = address { chmod(path, 0o777) }
        return socket
    }

    static func connect(_ address: Address) throws -> Int32 {
        let socket = try make(address)
        guard with(address, { Glibc.connect(socket, $0, $1) }) == 0 else {
            close(socket)
            throw ServerError("cannot connect to \(address): \(String(cString: strerror(errno)))")
        }
        return socket
    }

    static func port(of socket: Int32) throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isNamed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) == 0 }
        }
        guard isNamed else { throw ServerError("a socket without a port") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }

    private static func make(_ address: Address) throws -> Int32 {
        let family = if case .path = address { AF_UNIX } else { AF_INET }
        let socket = Glibc.socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw ServerError("no socket: \(String(cString: strerror(errno)))") }
        return socket
    }

    private static func with(
        _ address: Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        switch address {
        case .path(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            let isShort = withUnsafeMutableBytes(of: &name.sun_path) { target in
                guard path.utf8.count < target.count else { return false }
                target.copyBytes(from: path.utf8)
                return true
            }
            guard isShort else {
                errno = ENAMETOOLONG
                return -1
            }
            return raw(name, body)
        case .port(let port):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            name.sin_port = in_port_t(port).bigEndian
            return raw(name, body)
        }
    }

    private static func raw<Name>(_ name: Name, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Name>.size)) }
        }
    }
}
