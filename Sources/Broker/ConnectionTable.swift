import Access
import Glibc
import Synchronization

/// All connections, and how many each user has.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [UInt64: Connection] = [:]
        var ofUser: [UInt32: Int] = [:]
        var strangers = 0
        /// 0 to 2 are not connections: "nothing happened", the listening socket, the end.
        var next: UInt64 = 3
    }

    private let state = Mutex(State())
    private let options: BrokerOptions
    private let budget: PayloadBudget

    init(_ options: BrokerOptions) {
        self.options = options
        budget = PayloadBudget(options.payload, ofUser: options.payloadOfUser)
    }

    /// Takes a connection in; nil where there are too many.
    func add(_ descriptor: Int32, _ caller: Caller, isStranger: Bool) -> Connection? {
        let limit = isStranger ? options.connectionsOfStranger : options.connectionsOfUser
        return state.withLock { state in
            guard state.ofUser[caller.uid, default: 0] < limit, !isStranger || state.strangers < options.strangers
            else {
                return nil
            }
            if state.connections.count >= options.connections {
                // An idle connection of whoever has most makes room; the client's next request finds a new one.
                guard !isStranger, state.connections.count < options.connections + 64,
                    let most = state.ofUser.max(by: { $0.value < $1.value }), most.key != caller.uid,
                    let idle = state.connections.values.first(where: {
                        $0.caller.uid == most.key && $0.deadline.load(ordering: .relaxed) == 0
                    })
                else { return nil }
                shutdown(idle.descriptor, Int32(SHUT_RDWR))
            }
            if isStranger { state.strangers += 1 }
            let connection = Connection(
                descriptor, number: state.next, caller: caller, budget: budget, isStranger: isStranger)
            state.next += 1
            state.connections[connection.number] = connection
            state.ofUser[caller.uid, default: 0] += 1
            return connection
        }
    }

    subscript(number: UInt64) -> Connection? { state.withLock { $0.connections[number] } }

    func remove(_ connection: Connection) {
        state.withLock { state in
            guard state.connections.removeValue(forKey: connection.number) != nil else { return }
            if connection.isStranger { state.strangers -= 1 }
            let left = state.ofUser[connection.caller.uid, default: 1] - 1
            state.ofUser[connection.caller.uid] = left == 0 ? nil : left
        }
    }

    /// Cuts off those that take too long; the thread that gets the event then closes them.
    func cutOff(now: UInt64) {
        state.withLock { state in
            for connection in state.connections.values {
                let deadline = connection.deadline.load(ordering: .relaxed)
                if deadline != 0, deadline < now { shutdown(connection.descriptor, Int32(SHUT_RDWR)) }
            }
        }
    }

    /// Hangs up on those that are idle.
    func cutOffIdle() {
        state.withLock { state in
            for connection in state.connections.values where connection.deadline.load(ordering: .relaxed) == 0 {
                shutdown(connection.descriptor, Int32(SHUT_RDWR))
            }
        }
    }

    var count: Int { state.withLock { $0.connections.count } }
}
