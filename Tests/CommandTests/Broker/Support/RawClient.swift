import BrokerWire
import Envelopes
import Foundation
import Glibc

/// A client that sends any bytes, well or badly formed. It is root, as the test is.
final class RawClient {
    let descriptor: Int32

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// - Parameter seconds: after this long a read has failed.
    init(_ path: String, patience seconds: Int = 30) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let made = descriptor
        guard made >= 0, SocketAddress.with(path, { connect(made, $0, $1) }) == 0 else {
            let reason = String(cString: strerror(errno))
            throw Failure(description: "cannot connect: \(reason)")
        }
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// A frame's bytes.
    static func frame(_ request: BrokerRequest, _ payload: [UInt8] = []) -> [UInt8] {
        Frame.start(request.head, payload: payload.count) + payload
    }

    /// A frame around any head.
    static func frame(head: [UInt8], payloadLength: Int = 0) -> [UInt8] {
        [head.count, payloadLength].flatMap { length in
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: length >> $0) }
        } + head
    }

    /// - Returns: whether all of it was taken.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + done, $0.count - done, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    func send(_ request: BrokerRequest, _ payload: [UInt8] = []) throws {
        guard send(Self.frame(request, payload)) else { throw Failure(description: "the broker takes nothing") }
    }

    /// Up to so many bytes; fewer where the broker hung up.
    func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + done, count - done, 0) }
            if got < 0, errno == EINTR { continue }
            if got < 0, errno == EAGAIN { throw Failure(description: "no answer in time") }
            guard got > 0 else { break }
            done += got
        }
        return Array(bytes[..<done])
    }

    /// An answer; nil where the broker hung up instead.
    func answer() throws -> (response: BrokerResponse, payload: [UInt8])? {
        let prefix = try receive(Frame.prefixLength)
        guard prefix.count == Frame.prefixLength else { return nil }
        guard let lengths = prefix.withUnsafeBytes({ Frame.Lengths($0) }) else {
            throw Failure(description: "an answer with impossible lengths")
        }
        let head = try receive(lengths.head)
        guard let response = BrokerResponse(head: head) else { throw Failure(description: "an answer that is none") }
        let payload = try receive(lengths.payload)
        guard payload.count == lengths.payload else { return nil }
        return (response, payload)
    }

    /// Asks and waits for the answer.
    func ask(_ request: BrokerRequest, _ payload: [UInt8] = []) throws -> (response: BrokerResponse, payload: [UInt8])?
    {
        try send(request, payload)
        return try answer()
    }

    /// The failure that the broker tells.
    func failure(_ request: BrokerRequest, _ payload: [UInt8] = []) throws -> BrokerFailure? {
        guard case .failed(let failure) = try ask(request, payload)?.response else { return nil }
        return failure
    }

    /// Reads a secret; nil where that is refused or fails.
    func read(_ name: String) throws -> [UInt8]? {
        guard let answer = try ask(.unprotect(name: name, context: nil, store: nil)), answer.response == .done else {
            return nil
        }
        return answer.payload
    }
}
