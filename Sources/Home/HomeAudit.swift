import Audit
import KeyManagement
import Synchronization

/// A home's audit log, opened when the first entry comes: what writes none does not touch it.
final class HomeAudit: Sendable {
    private let folder: String
    private let forwardAudit: String?
    private let opened = Mutex<AuditLog?>(nil)

    /// - Parameters:
    ///   - folder: where it lies.
    ///   - forwardAudit: where the configuration has entries forwarded to.
    init(folder: String, forwardAudit: String?) {
        self.folder = folder
        self.forwardAudit = forwardAudit
    }

    /// The log.
    ///
    /// - Parameters:
    ///   - forwarder: passes entries on; a log that is open without one is opened anew.
    ///   - checkpointEvery: after how many entries one is signed; likewise.
    func log(
        _ keeper: RingKeeper, forwarder: (any AuditForwarder)? = nil, checkpointEvery: Int = 1000
    ) throws -> AuditLog {
        try opened.withLock { opened in
            if let opened, forwarder == nil, checkpointEvery == 1000 { return opened }
            let ring = keeper.keyring.ring
            let forwarder = try forwarder ?? forwardAudit.map { try AuditForwarding.parse($0) }
            // Weak: the keeper has the observer, and the observer this.
            let log = try AuditLog(
                folder: folder, group: ring.group, groupName: ring.name,
                signer: { [weak keeper] in try Self.present(keeper).signer() },
                seal: { [weak keeper] in try Self.present(keeper).auditTag($0) },
                checkpointEvery: checkpointEvery, forwarder: forwarder)
            opened = log
            return log
        }
    }

    private static func present(_ keeper: RingKeeper?) throws -> RingKeeper {
        guard let keeper else { throw AuditError(.closed, "the home of this audit log was closed") }
        return keeper
    }

    /// Logs every change of the ring that means something before it is stored.
    func watch(_ keeper: RingKeeper) {
        keeper.observe { [weak keeper] before, after in
            let events = KeyEvents.between(before, after)
            guard let keeper, !events.isEmpty else { return }
            try self.write(events, keeper)
        } failed: { [weak keeper] before, after, error in
            let events = KeyEvents.between(before, after, outcome: .failed)
            guard let keeper, !events.isEmpty else { return }
            // What failed is told by its error; the entry is for later.
            try? self.write(events, keeper)
        }
    }

    private func write(_ events: [AuditEvent], _ keeper: RingKeeper) throws {
        let log = try log(keeper)
        let person = AuditActor.askedBy
        let events = events.map { event in
            var event = event
            if let person { event.facts.append(("askedBy", .text(person))) }
            return event
        }
        try log.append(events, synced: false)
        // A ring of an older format has no signer yet.
        if keeper.keyring.ring.signer != nil { try log.checkpoint() }
        try log.sync()
    }

    /// Ends it, if it was opened.
    func close() throws {
        try opened.withLock { opened in
            try opened?.close()
            opened = nil
        }
    }
}
