import Glibc

/// Tells systemd how a service is doing (sd_notify(3)); nothing where it was not started by it.
public enum ServiceManager {
    /// - Parameter state: such as `READY=1` or `STATUS=…`.
    public static func tell(_ state: String) {
        guard let place = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), !place.isEmpty else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(state.utf8)
        _ = SocketAddress.with(place) { address, length in
            // A name that begins with @ is abstract: a zero byte, and no more than its own length.
            guard place.hasPrefix("@") else {
                return sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
            }
            var abstract = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_un.self)
            withUnsafeMutableBytes(of: &abstract.sun_path) { $0[0] = 0 }
            let exact = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \sockaddr_un.sun_path)! + place.utf8.count)
            return withUnsafePointer(to: &abstract) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, exact)
                }
            }
        }
    }
}
