public import Glibc

/// Where a broker listens.
public enum BrokerAddress {
    /// The usual place.
    public static let usual = "/run/keyroll/broker.sock"

    /// The socket to use, if there is one: the option; else, unless a home was named, `KEYROLL_BROKER`, where `none` means
    /// to do without; else, unless `KEYROLL_HOME` is set, the usual place or `$XDG_RUNTIME_DIR/keyroll/broker.sock` if something is there.
    ///
    /// - Parameters:
    ///   - option: what the caller chose.
    ///   - hasHome: whether a home was named by an option.
    public static func find(option: String? = nil, hasHome: Bool) -> String? {
        if let option { return option == "none" ? nil : option }
        if hasHome { return nil }
        if let chosen = variable("KEYROLL_BROKER") { return chosen == "none" ? nil : chosen }
        if variable("KEYROLL_HOME") != nil { return nil }
        return ([usual] + own).first { isSocket($0) }
    }

    /// Where a broker of this user listens unless told otherwise.
    public static var forServing: String {
        geteuid() == 0 || isServiceUser ? usual : own.first ?? usual
    }

    private static var own: [String] {
        variable("XDG_RUNTIME_DIR").map { ["\($0)/keyroll/broker.sock"] } ?? []
    }

    private static var isServiceUser: Bool {
        getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } == "keyroll"
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }
}

/// A Unix socket's address.
public enum SocketAddress {
    /// Runs `body` with the address of a path.
    ///
    /// - Returns: nil where the path is too long for a socket (107 bytes).
    public static func with<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
