import Audit
import Home
import KeyManagement
import Synchronization

/// Logs what is done with secrets in a home that is opened directly, once a policy of access is in force there: whoever
/// can do without the broker does not do without the log.
final class AccessLog: Sendable {
    private let home: Home
    private let opened = Mutex<AuditLog?>(nil)

    init(_ home: Home) { self.home = home }

    /// Runs `body`, which calls `note` before it gives a plaintext away.
    func read<R>(_ name: String, _ body: (_ note: () throws -> Void) throws -> R) throws -> R {
        guard let log = try log() else { return try body {} }
        var event = AuditEvent(.unprotect, .done, by: .own(), secret: name)
        var isNoted = false
        do {
            return try body {
                isNoted = true
                try log.append(event, synced: true)
            }
        } catch {
            // What `use` throws is its own affair.
            guard !isNoted else { throw error }
            event.outcome = .failed
            event.reason = "\(error)"
            try log.append(event, synced: true)
            throw error
        }
    }

    /// Runs `body`, which changes something: logged before, since what cannot be logged is not done, and after.
    func change(
        _ kind: AuditEvent.Kind, _ name: String, facts: [(name: String, value: AuditValue)] = [],
        _ body: () throws -> Void
    ) throws {
        guard let log = try log() else { return try body() }
        var event = AuditEvent(kind, .begun, by: .own(), secret: name, facts: facts)
        try log.append(event, synced: false)
        do { try body() } catch {
            event.outcome = .failed
            event.reason = "\(error)"
            try log.append(event, synced: true)
            throw error
        }
        event.outcome = .done
        try log.append(event, synced: true)
    }

    /// Opened when it is first needed; nil where there is no policy.
    private func log() throws -> AuditLog? {
        guard home.keeper.keyring.ring.access != nil else { return nil }
        return try opened.withLock { opened in
            if let opened { return opened }
            let made = try home.auditLog()
            opened = made
            return made
        }
    }
}
