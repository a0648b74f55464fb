import Access
import Audit
import BrokerWire
import Cryptography
import Envelopes
import Files
import Glibc
import Home
import KeyManagement
import Keyroll
import Protection
import SecretStores
import Synchronization

/// What one thread of a broker does with a request: decides, does it, logs it, answers.
final class Service: Reactor.Server {
    private let shared: Shared
    private let reader = SecretReader()

    /// What all threads share.
    final class Shared: Sendable {
        let log: AuditLog
        let desk: AccessDesk
        let relay: CommandRelay
        let clock: SteadyClock
        /// Writes that are under way.
        let changing = Atomic<Int>(0)
        let changesAtMost: Int
        let refusals: RefusalMeter
        /// The command's exit code for an error.
        let exit: @Sendable (any Error) -> Int32
        private let present: Mutex<Standing>

        init(
            _ standing: Standing, log: AuditLog, desk: AccessDesk, relay: CommandRelay, clock: SteadyClock,
            changesAtMost: Int, refusals: Double, exit: @escaping @Sendable (any Error) -> Int32
        ) {
            present = Mutex(standing)
            self.log = log
            self.desk = desk
            self.relay = relay
            self.clock = clock
            self.changesAtMost = changesAtMost
            self.refusals = RefusalMeter(rate: refusals)
            self.exit = exit
        }

        var standing: Standing {
            get { present.withLock { $0 } }
            set { present.withLock { $0 = newValue } }
        }
    }

    init(_ shared: Shared) { self.shared = shared }

    func knows(_ caller: Caller) -> Bool { shared.standing.rules.knows(caller) }

    func note(_ flaw: String, _ caller: Caller) {
        try? refuse(caller, secret: nil, flaw)
    }

    func admits(_ request: BrokerRequest, _ connection: Connection) -> Bool {
        let standing = shared.standing
        do {
            switch request {
            case .protect(let name, _, _, _):
                try SecretCipher.checkName(name)
                _ = try ground(.protect, name, connection.caller, standing)
            case .installPolicy: _ = try ground(.policy, nil, connection.caller, standing)
            case .approveAccess(let id):
                guard standing.rules.knows(connection.caller) else { throw try stranger(connection.caller, standing) }
                if (try? shared.desk.visible(id, to: connection.caller, standing.rules)) == nil {
                    // Refused as it would be with any signature, and logged, before one is sent.
                    _ = try shared.desk.approve(id, signature: [], by: connection.caller, standing.rules)
                }
            default:
                guard standing.rules.knows(connection.caller) else { throw try stranger(connection.caller, standing) }
            }
            return true
        } catch {
            _ = fail(error, connection)
            return false
        }
    }

    func serve(_ request: BrokerRequest, _ connection: Connection) -> Connection.Written? {
        let standing = shared.standing
        do {
            switch request {
            case .unprotect(let name, let context, let store):
                return try unprotect(name, context, store, connection, standing)
            case .protect(let name, let context, let store, let replacing):
                return try change(.protect, name, connection, standing) {
                    try connection.withPayload {
                        try standing.group.put(name, $0, context: context, replacing: replacing, in: store)
                    }
                }
            case .remove(let name):
                return try change(.remove, name, connection, standing) { try standing.group.remove(name) }
            case .rename(let old, let new):
                return try change(.rename, old, connection, standing, facts: [("newName", .text(new))]) {
                    try standing.group.rename(old, to: new)
                }
            case .command(let arguments, let columns):
                let entry = try CommandTable.check(arguments)
                _ = try ground(entry.operation, nil, connection.caller, standing, about: arguments)
                // The worker is in the log with what it does.
                guard try shared.relay.begin(arguments, entry.operation, columns: columns, connection) else {
                    throw BrokerError(.busy, "the broker runs as many commands as it may; try again")
                }
                return nil
            case .requestAccess, .listAccess, .showAccess, .approveAccess, .denyAccess, .revokeAccess:
                return try access(request, connection, standing)
            case .showPolicy:
                guard standing.rules.knows(connection.caller) else { throw try stranger(connection.caller, standing) }
                return answer(standing.home.keeper.keyring.ring.access?.document ?? [], connection)
            case .installPolicy(let length):
                return try installPolicy(length, connection, standing)
            }
        } catch {
            return fail(error, connection)
        }
    }

    // MARK: Secrets

    private func unprotect(
        _ name: String, _ context: String?, _ store: String?, _ connection: Connection, _ standing: Standing
    ) throws -> Connection.Written {
        try SecretCipher.checkName(name)
        let (grant, approvers) = try ground(.unprotect, name, connection.caller, standing)
        var event = AuditEvent(
            .unprotect, .done, by: AuditActor(connection.caller), secret: name, grant: grant, approvers: approvers)
        do {
            return try reader.read(name, context: context, in: store, of: standing.home) { plaintext in
                // What is read is in the log before it leaves; a person's read is on the disk as well.
                do { try shared.log.append(event, synced: grant != nil) } catch { throw Unlogged(error) }
                return connection.write(.done, plaintext)
            }
        } catch let error as Unlogged {
            throw error.error
        } catch {
            event.outcome = .failed
            event.reason = "\(error)"
            try shared.log.append(event, synced: grant != nil)
            throw error
        }
    }

    private struct Unlogged: Error {
        let error: any Error
        init(_ error: any Error) { self.error = error }
    }

    private func change(
        _ operation: Operation, _ name: String, _ connection: Connection, _ standing: Standing,
        facts: [(name: String, value: AuditValue)] = [], _ body: () throws -> Void
    ) throws -> Connection.Written {
        try SecretCipher.checkName(name)
        let (grant, approvers) = try ground(operation, name, connection.caller, standing)
        defer { shared.changing.subtract(1, ordering: .relaxed) }
        guard shared.changing.add(1, ordering: .relaxed).newValue <= shared.changesAtMost else {
            throw BrokerError(.busy, "the broker has as many writes under way as it may; try again")
        }
        let kind: AuditEvent.Kind = operation == .protect ? .protect : operation == .remove ? .remove : .rename
        var event = AuditEvent(
            kind, .begun, by: AuditActor(connection.caller), secret: name, grant: grant, approvers: approvers,
            facts: facts)
        // Where it cannot be logged it is not done; so the log has it first, and then how it went.
        try shared.log.append(event, synced: grant != nil)
        do { try body() } catch {
            event.outcome = .failed
            event.reason = "\(error)"
            try shared.log.append(event, synced: grant != nil)
            throw error
        }
        event.outcome = .done
        try shared.log.append(event, synced: grant != nil)
        return connection.write(.done)
    }

    // MARK: Access

    private func access(
        _ request: BrokerRequest, _ connection: Connection, _ standing: Standing
    ) throws -> Connection.Written {
        let caller = connection.caller
        let rules = standing.rules
        guard rules.knows(caller) else { throw try stranger(caller, standing) }
        let cases: [AccessCase]
        switch request {
        case .requestAccess(let operation, let secrets, let seconds, let reason):
            cases = [
                try shared.desk.request(
                    operation, secrets: secrets, seconds: seconds, reason: reason, by: caller, rules)
            ]
        case .showAccess(let id): cases = [try shared.desk.visible(id, to: caller, rules)]
        case .approveAccess(let id):
            cases = [
                try connection.withPayload { try shared.desk.approve(id, signature: Array($0), by: caller, rules) }
            ]
        case .denyAccess(let id, let reason):
            cases = [try shared.desk.finish(.denied, id, reason: reason, by: caller, rules)]
        case .revokeAccess(let id, let reason):
            cases = [try shared.desk.finish(.revoked, id, reason: reason, by: caller, rules)]
        default: cases = try shared.desk.visible(to: caller, rules)
        }
        return answer(try AccessListing.json(cases, rules.policy, now: shared.clock.now), connection)
    }

    private func installPolicy(
        _ signatureLength: Int, _ connection: Connection, _ standing: Standing
    ) throws -> Connection.Written {
        _ = try ground(.policy, nil, connection.caller, standing)
        let (document, signature) = try connection.withPayload { payload in
            guard signatureLength <= payload.count else {
                throw AccessError(.notAccepted, "the signature is longer than what came")
            }
            let end = payload.count - signatureLength
            return (Array(payload[..<end]), Array(payload[end...]))
        }
        try PolicyInstallation.install(
            document, signature: signature, from: "the policy", in: standing.home, by: AuditActor(connection.caller),
            log: shared.log, now: shared.clock.now)
        shared.standing = try Standing(standing.home)
        return connection.write(.done)
    }

    // MARK: Grounds

    /// On what ground a caller may; where not, that is logged and thrown.
    private func ground(
        _ operation: Operation, _ secret: String?, _ caller: Caller, _ standing: Standing, about: [String] = []
    ) throws -> (grant: String?, approvers: [String]) {
        let decision = standing.rules.decide(
            operation, secret: secret, by: caller, cases: shared.desk.cases(of: caller.uid), now: shared.clock.now)
        switch decision {
        case .role: return (nil, [])
        case .grant(let id, let approvers): return (id, approvers)
        case .refused(let reason):
            var facts: [(name: String, value: AuditValue)] = [("operation", .text(operation.rawValue))]
            if !about.isEmpty { facts.append(("command", .text(about.joined(separator: " ")))) }
            try refuse(caller, secret: secret, reason, facts)
            throw AccessError(.refused, reason)
        }
    }

    private func stranger(_ caller: Caller, _ standing: Standing) throws -> AccessError {
        let reason = "'\(caller.user)' has nothing to do with group \(standing.rules.policy.group)"
        try refuse(caller, secret: nil, reason)
        return AccessError(.refused, reason)
    }

    /// Logs a refusal, as far as there were not too many of this user's.
    private func refuse(
        _ caller: Caller, secret: String?, _ reason: String, _ facts: [(name: String, value: AuditValue)] = []
    ) throws {
        guard let before = shared.refusals.note(caller.uid) else { return }
        var facts = facts
        if before > 0 { facts.append(("moreBefore", .number(Int64(before)))) }
        try shared.log.append(
            AuditEvent(.refusal, .refused, by: AuditActor(caller), secret: secret, reason: reason, facts: facts),
            synced: false)
    }

    private func answer(_ bytes: [UInt8], _ connection: Connection) -> Connection.Written {
        bytes.withUnsafeBytes { connection.write(.done, $0) }
    }

    private func fail(_ error: any Error, _ connection: Connection) -> Connection.Written {
        let failure =
            (error as? BrokerError)?.code == .busy
            ? BrokerFailure(kind: "broker.busy", message: "\(error)", exit: 75)
            : BrokerFailure(error, exit: shared.exit(error))
        return connection.write(.failed(failure))
    }
}
