import Access
import BrokerWire
import Cryptography
import Glibc
import Synchronization

/// One client's connection. At any time one thread has it: epoll gives it out with EPOLLONESHOT.
final class Connection: @unchecked Sendable {
    // @unchecked: all but `deadline` is touched only by the thread that epoll gave the connection to, between `takeOver`
    // and `handOver`.
    let descriptor: Int32
    let number: UInt64
    let caller: Caller
    /// Whether the policy did not name the user when it connected.
    let isStranger: Bool
    /// When it has to be done with what it began, by the monotonic clock; 0 where it is idle.
    let deadline = Atomic<UInt64>(0)
    private let handovers = Atomic<UInt64>(0)
    private var phase = Phase.prefix
    private var received: [UInt8] = []
    private var wanted = Frame.prefixLength
    private var payload: UnsafeMutablePointer<SecureBytes>?
    private var payloadLength = 0
    private var payloadDone = 0
    private var request: BrokerRequest?
    private var outgoing: UnsafeMutablePointer<SecureBytes>?
    private let budget: PayloadBudget
    private var outgoingRange = 0..<0

    private enum Phase {
        case prefix
        case head
        case payload
    }

    init(_ descriptor: Int32, number: UInt64, caller: Caller, budget: PayloadBudget, isStranger: Bool) {
        self.isStranger = isStranger
        self.budget = budget
        self.descriptor = descriptor
        self.number = number
        self.caller = caller
        received.reserveCapacity(256)
    }

    /// Before this thread gives the connection back to epoll. That the next one sees all of what this one did is the
    /// kernel's doing; with this it is the language's, too.
    func handOver() { handovers.add(1, ordering: .releasing) }

    /// As soon as epoll has given it to this thread.
    func takeOver() { _ = handovers.load(ordering: .acquiring) }

    /// What came.
    enum Input {
        /// Not all of it yet.
        case partial
        /// A head whose payload is still to come: it may be refused before.
        case announced(BrokerRequest, payload: Int)
        /// A whole request.
        case request(BrokerRequest)
        /// The client is gone.
        case closed
        /// What no client writes; nothing that follows can be trusted.
        case malformed(String)
    }

    /// Whether something of a request has come.
    var hasBegun: Bool { phase != .prefix || !received.isEmpty }

    /// Reads what there is, up to the next step.
    func read() -> Input {
        while true {
            let count: Int
            if phase == .payload, let payload {
                count = payload.pointee.withUnsafeMutableBytes { memory in
                    recv(descriptor, memory.baseAddress! + payloadDone, payloadLength - payloadDone, 0)
                }
            } else {
                let have = received.count
                let room = wanted - have
                count = withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { memory in
                    let count = recv(descriptor, memory.baseAddress, room, 0)
                    if count > 0 { received.append(contentsOf: memory[..<count]) }
                    return count
                }
            }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN || errno == EWOULDBLOCK ? .partial : .closed
            }
            guard count > 0 else { return .closed }
            switch phase {
            case .payload:
                payloadDone += count
                if payloadDone == payloadLength, let request { return .request(request) }
            case .prefix where received.count == wanted:
                guard let lengths = received.withUnsafeBytes({ Frame.Lengths($0) }) else {
                    return .malformed("a request with impossible lengths")
                }
                phase = .head
                wanted = lengths.head
                payloadLength = lengths.payload
                received.removeAll(keepingCapacity: true)
            case .head where received.count == wanted:
                guard let found = BrokerRequest(head: received) else { return .malformed("a request that is none") }
                guard payloadLength <= found.payloadLimit else {
                    return .malformed("a request with a payload that it does not take")
                }
                request = found
                return payloadLength == 0 ? .request(found) : .announced(found, payload: payloadLength)
            default: break
            }
        }
    }

    /// Makes room for the payload that was announced.
    ///
    /// - Returns: false where all connections together hold as much as they may, or there is no memory.
    func takePayload() -> Bool {
        payload = allocate(payloadLength)
        payloadDone = 0
        phase = .payload
        return payload != nil
    }

    /// Never from OpenSSL's small heap of locked memory, which is for keys.
    private func allocate(_ count: Int) -> UnsafeMutablePointer<SecureBytes>? {
        let count = max(count, SecureBytes.smallLimit + 1)
        guard budget.take(count, for: caller.uid) else { return nil }
        do {
            let memory = try SecureBytes(count: count)
            let place = UnsafeMutablePointer<SecureBytes>.allocate(capacity: 1)
            place.initialize(to: memory)
            return place
        } catch {
            budget.give(count, of: caller.uid)
            return nil
        }
    }

    private func release(_ memory: inout UnsafeMutablePointer<SecureBytes>?) {
        guard let held = memory else { return }
        budget.give(held.pointee.count, of: caller.uid)
        held.deinitialize(count: 1)
        held.deallocate()
        memory = nil
    }

    /// The payload that came.
    func withPayload<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        guard let payload else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return try payload.pointee.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<payloadLength])) }
    }

    /// Whether it holds a payload.
    var hasPayload: Bool { payload != nil }

    /// Whether the client was about to send a payload that nobody has read.
    var hasPayloadToCome: Bool { payloadLength > 0 && payloadDone < payloadLength }

    /// Ready for the next request; the payload is wiped.
    func reset() {
        release(&payload)
        phase = .prefix
        wanted = Frame.prefixLength
        payloadLength = 0
        payloadDone = 0
        request = nil
        received.removeAll(keepingCapacity: received.capacity <= 4096)
    }

    // MARK: Answering

    /// What became of an answer.
    enum Written {
        case all
        case partly
        case failed
    }

    /// Writes an answer; what the socket does not take now is kept, in memory that is wiped.
    func write(_ response: BrokerResponse, _ payload: UnsafeRawBufferPointer = .init(start: nil, count: 0)) -> Written {
        let start = Frame.start(response.head, payload: payload.count)
        return start.withUnsafeBytes { start in
            var done = 0
            let total = start.count + payload.count
            while done < total {
                let count = send(start, payload, from: done)
                if count < 0 {
                    if errno == EINTR { continue }
                    guard errno == EAGAIN || errno == EWOULDBLOCK else { return .failed }
                    return keep(start, payload, from: done) ? .partly : .failed
                }
                done += count
            }
            return .all
        }
    }

    private func send(_ start: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, from done: Int) -> Int {
        let first = max(0, start.count - done)
        let behind = max(0, done - start.count)
        var parts = (
            iovec(
                iov_base: UnsafeMutableRawPointer(mutating: start.baseAddress! + min(done, start.count)), iov_len: first
            ),
            iovec(
                iov_base: payload.baseAddress.map { UnsafeMutableRawPointer(mutating: $0 + behind) },
                iov_len: payload.count - behind)
        )
        return withUnsafeMutableBytes(of: &parts) { parts in
            var message = msghdr()
            message.msg_iov = parts.baseAddress!.assumingMemoryBound(to: iovec.self)
            message.msg_iovlen = 2
            return sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    private func keep(_ start: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, from done: Int) -> Bool {
        let left = start.count + payload.count - done
        guard let memory = allocate(left) else { return false }
        memory.pointee.withUnsafeMutableBytes { memory in
            let head = UnsafeRawBufferPointer(rebasing: start[min(done, start.count)...])
            let tail = UnsafeRawBufferPointer(rebasing: payload[max(0, done - start.count)...])
            UnsafeMutableRawBufferPointer(rebasing: memory[..<head.count]).copyMemory(from: head)
            UnsafeMutableRawBufferPointer(rebasing: memory[head.count..<(head.count + tail.count)]).copyMemory(
                from: tail)
        }
        outgoing = memory
        outgoingRange = 0..<left
        return true
    }

    /// Bytes of an answer that wait for the client.
    var waiting: Int { outgoing == nil ? 0 : outgoingRange.count }

    /// Goes on writing what was kept.
    func writeOn() -> Written {
        guard let outgoing else { return .all }
        while !outgoingRange.isEmpty {
            let count = outgoing.pointee.withUnsafeBytes { memory in
                Glibc.send(
                    descriptor, memory.baseAddress! + outgoingRange.lowerBound, outgoingRange.count,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN || errno == EWOULDBLOCK ? .partly : .failed
            }
            outgoingRange = (outgoingRange.lowerBound + count)..<outgoingRange.upperBound
        }
        release(&self.outgoing)
        return .all
    }

    deinit {
        release(&payload)
        release(&outgoing)
        close(descriptor)
    }
}
