import Glibc

/// UDP (RFC 5426), or TCP with octet counting (RFC 6587, section 3.4.1).
final class NetworkSink: ForwardingSink {
    private let host: String
    private let port: String
    private let isStream: Bool
    private var descriptor: Int32 = -1
    /// More does not fit into a datagram (RFC 768) with any header.
    private static let longestDatagram = 60_000

    init(host: String, port: String, isStream: Bool) {
        self.host = host
        self.port = port
        self.isStream = isStream
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func send(_ message: [UInt8]) throws {
        if descriptor < 0 { try connect() }
        if isStream, hasEnded() {
            disconnect()
            try connect()
        }
        let bytes = isStream ? Array("\(message.count) ".utf8) + message : Self.cut(message)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + done, $0.count - done, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            // A datagram that nobody listened for says so at the next one.
            if count < 0, errno == ECONNREFUSED, !isStream {
                throw AuditError.current("\(host):\(port)", "cannot send")
            }
            guard count > 0 else {
                let error = AuditError.current("\(host):\(port)", "cannot send")
                disconnect()
                throw error
            }
            done += count
        }
    }

    /// Whether the other side has closed the stream: what is sent then is lost without a word.
    private func hasEnded() -> Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK))
        return count == 0 || count < 0 && errno != EAGAIN && errno != EINTR
    }

    private func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private static func cut(_ message: [UInt8]) -> [UInt8] {
        guard message.count > longestDatagram else { return message }
        var end = longestDatagram
        while end > 0, message[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(message[..<end])
    }

    private func connect() throws {
        var hints = addrinfo()
        hints.ai_socktype = Int32((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(host, port, &hints, &found)
        guard failure == 0 else {
            throw AuditError(.inputOutput, "\(host):\(port): \(String(cString: gai_strerror(failure)).lowercased())")
        }
        defer { freeaddrinfo(found) }
        var next = found
        while let address = next {
            defer { next = address.pointee.ai_next }
            let made = socket(
                address.pointee.ai_family, address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue),
                address.pointee.ai_protocol)
            guard made >= 0 else { continue }
            // For connect as well: Linux takes the time to send for it.
            SocketTimeout.set(made)
            if Glibc.connect(made, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                descriptor = made
                return
            }
            close(made)
        }
        throw AuditError.current("\(host):\(port)", "cannot connect")
    }
}
