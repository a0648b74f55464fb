import Cryptography
import Glibc
import Synchronization

/// A broker, as its clients see it. Safe to use from several threads: each call takes a connection for itself.
public final class BrokerClient: Sendable {
    /// The socket.
    public let path: String
    private let idle = Mutex<[Held]>([])
    /// So many connections are kept for the next calls.
    private static let kept = 16
    /// Seconds that an answer may take.
    private static let patience = 120

    private struct Held: @unchecked Sendable {
        // @unchecked: a line is in this list or with one caller, never both.
        var line: BrokerLine
        var process: Int32
    }

    /// - Parameter path: the socket; it is connected to with the first call.
    public init(path: String) { self.path = path }

    /// Asks, and gives the answer's payload to `use`.
    ///
    /// - Parameters:
    ///   - request: what to do.
    ///   - payload: goes with it.
    ///   - use: gets the answer's payload, which is wiped afterwards.
    /// - Throws: ``BrokerError``, ``Failed``, or what `use` throws.
    public func ask<R>(
        _ request: BrokerRequest, payload: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        use: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        let line = try sent(request, payload)
        let answer = try line.receive()
        switch answer.response {
        case .done:
            keep(line)
            return try answer.payload.withUnsafeBytes { try use($0) }
        case .failed(let failure):
            // Where the broker hung up after a refusal, the next call finds that out and connects anew.
            keep(line)
            throw Failed(failure: failure)
        case .output, .ended: throw BrokerError(.malformed, "\(path): the broker answers something else than was asked")
        }
    }

    /// A failure that the broker tells.
    public struct Failed: Error, Sendable {
        /// What it tells.
        public let failure: BrokerFailure
    }

    private func sent(_ request: BrokerRequest, _ payload: UnsafeRawBufferPointer) throws -> BrokerLine {
        while let line = take() {
            // The broker may have been started anew since: nothing was sent, so the next one is tried.
            do { try line.send(request, payload: payload) } catch is BrokerLine.NotSent { continue }
            return line
        }
        let line = try BrokerLine(path: path)
        line.setPatience(Self.patience)
        do { try line.send(request, payload: payload) } catch is BrokerLine.NotSent {
            throw BrokerError(.unreachable, "\(path): the broker hangs up at once; it may have too many clients")
        }
        return line
    }

    private func take() -> BrokerLine? {
        let process = getpid()
        return idle.withLock { idle in
            // A line that a fork left in two processes would mix their answers.
            while let held = idle.popLast() { if held.process == process { return held.line } }
            return nil
        }
    }

    private func keep(_ line: BrokerLine) {
        let held = Held(line: line, process: getpid())
        idle.withLock { if $0.count < Self.kept { $0.append(held) } }
    }
}
