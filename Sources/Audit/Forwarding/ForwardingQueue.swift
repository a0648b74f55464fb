import Glibc
import Synchronization

/// Somewhere that messages are sent to. One object serves one thread.
protocol ForwardingSink: AnyObject {
    /// Sends a message, or throws where it has to be tried again later.
    func send(_ message: [UInt8]) throws
}

/// A message that no other try will get through.
struct ForwardingUndeliverable: Error {}

/// An entry on its way.
struct ForwardedEntry {
    /// The stored line.
    var line: [UInt8]
    var event: AuditEvent
    var position: AuditPosition
}

/// A bounded queue and a thread of its own between the log and somewhere else: an append never waits, and what does not
/// fit is counted.
final class ForwardingQueue: AuditForwarder, @unchecked Sendable {
    // @unchecked: everything that changes is touched with `monitor` held; `sink` is touched by the thread alone.
    private let monitor = Monitor()
    private let limit: Int
    private let sink: any ForwardingSink
    private let encode: (ForwardedEntry) -> [UInt8]
    private var waiting: [ForwardedEntry] = []
    private var isStarted = false
    private var isSending = false
    /// Lost, and not told yet because nothing gets through.
    private var lost: UInt64 = 0
    /// Lost, and to be told.
    private var toReport: UInt64 = 0

    /// - Parameters:
    ///   - limit: how many entries wait at most.
    ///   - sink: where they go.
    ///   - encode: makes a message of one.
    init(limit: Int = 8192, _ sink: any ForwardingSink, encode: @escaping (ForwardedEntry) -> [UInt8]) {
        self.limit = limit
        self.sink = sink
        self.encode = encode
    }

    func forward(_ line: UnsafeRawBufferPointer, _ event: AuditEvent, position: AuditPosition) {
        let entry = ForwardedEntry(line: Array(line), event: event, position: position)
        monitor.locked {
            guard waiting.count < limit else { return lost += 1 }
            waiting.append(entry)
            if !isStarted { start() }
            if waiting.count == 1 { monitor.wake() }
        }
    }

    func lostToReport() -> UInt64 {
        monitor.locked {
            defer { toReport = 0 }
            return toReport
        }
    }

    /// Gives what waits a moment to get away.
    func finish() {
        monitor.locked {
            let end = Self.now() + 1
            while isStarted, !waiting.isEmpty || isSending, Self.now() < end {
                monitor.wake()
                monitor.wait(seconds: 0.05)
            }
        }
    }

    private func start() {
        isStarted = true
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ForwardingQueue>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard failure == 0 else {
            context.release()
            isStarted = false
            return
        }
        pthread_detach(thread)
        Self.live.withLock { $0.append(self) }
    }

    /// The queues whose threads run; they do to the end of the process.
    private static let live = Mutex<[ForwardingQueue]>([])

    /// Gives all of them a moment.
    static func finishAll() { for queue in live.withLock({ $0 }) { queue.finish() } }

    /// Sends one after the other; what fails stays the first and is tried again, ever more slowly.
    private func run() {
        var pause = 0.1
        while true {
            monitor.lock()
            while waiting.isEmpty { monitor.wait() }
            let batch = waiting
            isSending = true
            monitor.unlock()
            var sent = 0
            var refused: UInt64 = 0
            for entry in batch {
                do { try sink.send(encode(entry)) } catch is ForwardingUndeliverable { refused += 1 } catch { break }
                sent += 1
            }
            monitor.lock()
            isSending = false
            lost += refused
            waiting.removeFirst(sent)
            if sent > 0 {
                pause = 0.1
                toReport += lost
                lost = 0
            }
            if sent < batch.count {
                monitor.wait(seconds: pause)
                pause = min(5, pause * 2)
            }
            monitor.wake()
            monitor.unlock()
        }
    }

    private static func now() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
}
