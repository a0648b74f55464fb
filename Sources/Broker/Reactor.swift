import Access
import BrokerWire
import CSystem
import Glibc
import Synchronization

/// Gives what clients send to the threads that serve it. Every thread waits at the same epoll descriptor, and each
/// event goes to one of them: a request that takes long holds up one thread and nobody else's request.
final class Reactor: @unchecked Sendable {
    // @unchecked: the descriptors never change; all else is locked or atomic.
    private let epoll: Int32
    private let listening: ListeningSocket
    private let options: BrokerOptions
    let table: ConnectionTable
    private let peers = Peers()
    private let isEnding = Atomic<Bool>(false)
    /// No new requests are taken; those that have begun are served.
    private let isDraining = Atomic<Bool>(false)
    private let running = Atomic<Int>(0)
    private let buckets = Mutex<[UInt32: TokenBucket]>([:])
    private let alarm: Alarm
    private static let listener: UInt64 = 1
    private static let ending: UInt64 = 2

    /// A pipe that becomes readable for all threads at once.
    private final class Alarm: Sendable {
        let read: Int32
        private let write: Int32

        init() throws {
            (read, write) = try Pipe.make()
        }

        func ring() { _ = Glibc.write(write, "x", 1) }

        deinit {
            close(read)
            close(write)
        }
    }

    /// What serves requests. One object for each thread.
    protocol Server: AnyObject {
        /// Whether a request may send its payload, before that is read; where not, it has answered why.
        func admits(_ request: BrokerRequest, _ connection: Connection) -> Bool
        /// Serves a request and answers it. Nil where something else has taken the connection over.
        func serve(_ request: BrokerRequest, _ connection: Connection) -> Connection.Written?
        /// Whether the policy names a user.
        func knows(_ caller: Caller) -> Bool
        /// Something that is not served.
        func note(_ flaw: String, _ caller: Caller)
    }

    init(_ listening: ListeningSocket, _ options: BrokerOptions) throws {
        self.listening = listening
        self.options = options
        table = ConnectionTable(options)
        alarm = try Alarm()
        epoll = keyroll_epoll()
        guard epoll >= 0, keyroll_epoll_always(epoll, alarm.read, keyroll_readable, Self.ending) == 0,
            keyroll_epoll_once(epoll, 1, listening.descriptor, keyroll_readable, Self.listener) == 0
        else {
            throw BrokerFault("cannot wait for clients: \(String(cString: strerror(errno)).lowercased())")
        }
    }

    /// Starts the threads.
    func start(_ make: @escaping @Sendable () throws -> any Server) throws {
        for _ in 0..<options.threads {
            let server = try ServerBox(make())
            running.add(1, ordering: .sequentiallyConsistent)
            try WorkThread.start { [self] in
                run(server.server)
                running.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
    }

    private struct ServerBox: @unchecked Sendable {
        // @unchecked: handed to one thread and used by that one alone.
        let server: any Server
        init(_ server: any Server) { self.server = server }
    }

    private func run(_ server: any Server) {
        while !isEnding.load(ordering: .relaxed) {
            var events: UInt32 = 0
            let number = keyroll_epoll_wait(epoll, -1, &events)
            if number == 0 || number == .max { continue }
            if number == Self.listener {
                accept(server)
            } else if let connection = table[number] {
                handle(connection, events, server)
            }
        }
    }

    // MARK: Accepting

    private func accept(_ server: any Server) {
        for _ in 0..<64 {
            let descriptor = keyroll_accept(listening.descriptor)
            if descriptor < 0 {
                // Out of descriptors: those who wait go on waiting a little.
                if errno == EMFILE || errno == ENFILE { usleep(20_000) }
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            guard let caller = peers.caller(descriptor) else {
                close(descriptor)
                continue
            }
            guard let connection = table.add(descriptor, caller, isStranger: !server.knows(caller)) else {
                if isWithinRate(caller, server) { server.note("more connections than may be", caller) }
                close(descriptor)
                continue
            }
            guard keyroll_epoll_once(epoll, 1, descriptor, keyroll_readable, connection.number) == 0 else {
                table.remove(connection)
                continue
            }
        }
        if !isDraining.load(ordering: .relaxed) {
            _ = keyroll_epoll_once(epoll, 0, listening.descriptor, keyroll_readable, Self.listener)
        }
    }

    // MARK: Serving

    private func handle(_ connection: Connection, _ events: UInt32, _ server: any Server) {
        connection.takeOver()
        if connection.waiting > 0 {
            follow(connection.writeOn(), connection)
            return
        }
        while true {
            switch connection.read() {
            case .partial:
                if connection.hasBegun, connection.deadline.load(ordering: .relaxed) == 0 {
                    setDeadline(connection, options.patience)
                }
                wait(connection, keyroll_readable)
                return
            case .closed:
                take(connection)
                return
            case .malformed(let flaw):
                // Who sends such things often enough is not written down each time.
                if isWithinRate(connection.caller, server) { server.note(flaw, connection.caller) }
                let failure = BrokerFailure(kind: "broker.malformed", message: "the broker got \(flaw)", exit: 64)
                _ = connection.write(.failed(failure))
                take(connection)
                return
            case .announced(let request, let length):
                guard isWithinRate(connection.caller, server) else { return tooOften(connection) }
                guard server.admits(request, connection) else { return take(connection) }
                guard connection.takePayload() else {
                    busy(connection, "the broker holds as many payloads as it may; try again")
                    return
                }
                setDeadline(connection, options.patience + Double(length) / options.slowest)
            case .request(let request):
                // With a payload it was counted when that was announced.
                if !connection.hasPayload, !isWithinRate(connection.caller, server) { return tooOften(connection) }
                connection.deadline.store(.max, ordering: .relaxed)
                guard let written = server.serve(request, connection) else {
                    take(connection)
                    return
                }
                connection.reset()
                connection.deadline.store(0, ordering: .relaxed)
                follow(written, connection)
                return
            }
        }
    }

    /// What follows an answer.
    private func follow(_ written: Connection.Written, _ connection: Connection) {
        switch written {
        case .failed: take(connection)
        case .all:
            connection.deadline.store(0, ordering: .relaxed)
            isDraining.load(ordering: .relaxed) ? take(connection) : wait(connection, keyroll_readable)
        case .partly:
            // The more is left, the longer it may take; a client that takes nothing ends it.
            if connection.deadline.load(ordering: .relaxed) == 0 {
                setDeadline(connection, options.patience + Double(connection.waiting) / options.slowest)
            }
            wait(connection, keyroll_writable)
        }
    }

    private func tooOften(_ connection: Connection) {
        busy(connection, "user '\(connection.caller.user)' asks too often; try again")
    }

    private func busy(_ connection: Connection, _ message: String) {
        let written = connection.write(.failed(BrokerFailure(kind: "broker.busy", message: message, exit: 75)))
        // A payload that is on its way cannot be skipped.
        guard !connection.hasPayloadToCome, case .all = written else { return take(connection) }
        connection.reset()
        follow(written, connection)
    }

    private func setDeadline(_ connection: Connection, _ seconds: Double) {
        connection.deadline.store(UInt64((Monotonic.now + seconds) * 1000), ordering: .relaxed)
    }

    private func wait(_ connection: Connection, _ events: UInt32) {
        connection.handOver()
        if keyroll_epoll_once(epoll, 0, connection.descriptor, events, connection.number) != 0 { take(connection) }
    }

    /// Lets a connection go; it is closed with the last reference.
    private func take(_ connection: Connection) {
        _ = keyroll_epoll_forget(epoll, connection.descriptor)
        table.remove(connection)
    }

    private func isWithinRate(_ caller: Caller, _ server: any Server) -> Bool {
        let now = Monotonic.now
        return buckets.withLock { buckets in
            if var bucket = buckets[caller.uid] {
                defer { buckets[caller.uid] = bucket }
                return bucket.take(now: now)
            }
            // A minute later they are full again anyway.
            if buckets.count > 4096 { buckets.removeAll() }
            var bucket = TokenBucket(rate: server.knows(caller) ? options.rate : options.rateOfStrangers, now: now)
            defer { buckets[caller.uid] = bucket }
            return bucket.take(now: now)
        }
    }

    /// Forgets the rates, so that a new policy's users get theirs; and cuts off those that take too long.
    func tick(forgetsRates: Bool) {
        table.cutOff(now: UInt64(Monotonic.now * 1000))
        if forgetsRates { buckets.withLock { $0.removeAll() } }
    }

    /// Takes no more clients, serves what has begun until its answers were taken, and ends.
    func end(patience: Double) {
        let last = Monotonic.now + patience
        isDraining.store(true, ordering: .sequentiallyConsistent)
        listening.end()
        while table.count > 0, Monotonic.now < last {
            table.cutOffIdle()
            table.cutOff(now: UInt64(Monotonic.now * 1000))
            usleep(10_000)
        }
        isEnding.store(true, ordering: .sequentiallyConsistent)
        alarm.ring()
        while running.load(ordering: .sequentiallyConsistent) > 0, Monotonic.now < last { usleep(10_000) }
    }

    deinit { close(epoll) }
}
