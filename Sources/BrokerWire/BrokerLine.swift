public import Cryptography
import Envelopes
import Glibc

/// One connection to a broker, for one request after the other.
public final class BrokerLine {
    private let descriptor: Int32
    private let path: String

    /// Whether nothing of a request reached the broker, so that it may be sent again.
    public struct NotSent: Error {}

    /// Connects.
    ///
    /// - Throws: ``BrokerError`` with `unreachable` or `refused`.
    public init(path: String) throws {
        self.path = path
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw BrokerError(.unreachable, "cannot make a socket: \(Self.reason())") }
        // A broker that takes no clients any more must not hold this process for ever.
        var time = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        guard let result = SocketAddress.with(path, { connect(made, $0, $1) }) else {
            close(made)
            throw BrokerError(.unreachable, "\(path): too long for a socket's path")
        }
        guard result == 0 else {
            let failure = errno
            let reason = Self.reason()
            close(made)
            throw BrokerError(
                failure == EACCES ? .refused : .unreachable,
                "\(path): no broker answers here: \(reason); start one with: keyroll broker")
        }
        descriptor = made
    }

    /// How long an answer may take, in seconds; 0 for as long as it takes.
    public func setPatience(_ seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// The socket, to wait on.
    public var socketDescriptor: Int32 { descriptor }

    /// Sends a request.
    ///
    /// - Throws: ``NotSent``, ``BrokerError`` with `unreachable`.
    public func send(_ request: BrokerRequest, payload: UnsafeRawBufferPointer = .init(start: nil, count: 0)) throws {
        let start = Frame.start(request.head, payload: payload.count)
        try start.withUnsafeBytes { try write($0, isFirst: true) }
        try write(payload, isFirst: false)
    }

    private func write(_ bytes: UnsafeRawBufferPointer, isFirst: Bool) throws {
        var done = 0
        while done < bytes.count {
            let count = Glibc.send(descriptor, bytes.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            if count < 0 {
                if errno == EINTR { continue }
                if isFirst, done == 0 { throw NotSent() }
                // It may have answered already, and hung up: a refusal before the payload.
                return
            }
            done += count
        }
    }

    /// Reads an answer and its payload.
    ///
    /// - Throws: ``BrokerError`` with `unreachable` or `malformed`.
    public func receive() throws -> BrokerAnswer {
        var prefix = [UInt8](repeating: 0, count: Frame.prefixLength)
        try prefix.withUnsafeMutableBytes { try read($0) }
        guard let lengths = prefix.withUnsafeBytes({ Frame.Lengths($0) }) else { throw malformed() }
        var head = [UInt8](repeating: 0, count: lengths.head)
        try head.withUnsafeMutableBytes { try read($0) }
        guard let response = BrokerResponse(head: head) else { throw malformed() }
        let payload = try SecureBytes(count: lengths.payload) { try read($0) }
        return BrokerAnswer(response: response, payload: payload)
    }

    private func read(_ room: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < room.count {
            let count = recv(descriptor, room.baseAddress! + done, room.count - done, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw BrokerError(
                    .unreachable,
                    count < 0 && errno == EAGAIN
                        ? "\(path): the broker does not answer in time"
                        : "\(path): the broker went away before it answered; whether it was done is not known")
            }
            done += count
        }
    }

    /// A request in the middle of a command: end after the batch in work.
    public func askToStop() { shutdown(descriptor, Int32(SHUT_WR)) }

    private func malformed() -> BrokerError {
        BrokerError(.malformed, "\(path): what answers here is no keyroll broker")
    }

    private static func reason() -> String { String(cString: strerror(errno)).lowercased() }

    deinit { close(descriptor) }
}

/// An answer with its payload, which is wiped when it goes.
public struct BrokerAnswer: ~Copyable {
    /// What it says.
    public let response: BrokerResponse
    /// What comes with it.
    public let payload: SecureBytes
}
