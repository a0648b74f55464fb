import Access
import Audit
import Cryptography
import Files
import FoundationEssentials
import Glibc
import Home
import Synchronization

/// Takes requests for access and what becomes of them: keeps each change durably, and logs it, before anybody is told.
final class AccessDesk: Sendable {
    private let folder: CaseFolder
    private let log: AuditLog
    private let clock: SteadyClock
    private let kept: Mutex<[AccessCase]>
    /// Ended in memory, and not on the disk yet.
    private let unsaved = Mutex<Set<String>>([])

    /// - Parameters:
    ///   - folder: where requests are kept.
    ///   - log: the audit log.
    ///   - logFolder: where that lies.
    ///   - clock: one that does not run backwards.
    ///   - policy: the present one.
    /// - Throws: what reading them throws; one that is not believed is logged and does not count.
    init(
        _ folder: CaseFolder, log: AuditLog, logFolder: String, clock: SteadyClock, policy: AccessPolicy
    ) throws {
        self.folder = folder
        self.log = log
        self.clock = clock
        var (cases, refused) = try folder.read()
        refused += try Self.endLogged(&cases, folder: folder, logFolder: logFolder, policy: policy, now: clock.now)
        kept = Mutex(cases)
        for line in refused {
            try log.append(AuditEvent(.accessEnd, .failed, by: .own(), reason: line), synced: true)
        }
    }

    /// Ends what the log says has ended: requests that were put back from an older copy are as they were then.
    ///
    /// - Returns: a line for each.
    private static func endLogged(
        _ cases: inout [AccessCase], folder: CaseFolder, logFolder: String, policy: AccessPolicy, now: Timestamp
    ) throws -> [String] {
        let live = cases.indices.filter {
            switch cases[$0].standing(policy, now: now) {
            case .waiting, .granted: true
            default: false
            }
        }
        // The log is read through only where it matters.
        guard !live.isEmpty else { return [] }
        var ended: Set<String> = []
        for kind in [AuditEvent.Kind.accessRevocation, .accessDenial, .accessApproval] {
            var export = AuditExport()
            export.kind = kind
            try export.run(logFolder) { bytes in
                // Quotes inside of texts are escaped, so that none of these can be part of one.
                let line = String(decoding: bytes, as: UTF8.self)
                guard line.contains("\"kind\":\"\(kind.rawValue)\",\"outcome\":\"done\"") else { return }
                // One that was granted already is not approved once more with the same signatures.
                if kind == .accessApproval, !line.contains("\"grantedUntil\":") { return }
                for index in live where kind != .accessApproval || cases[index].granted == nil {
                    let id = cases[index].request.id
                    if line.contains("\"grant\":\"\(id)\"") { ended.insert(id) }
                }
            }
        }
        var lines: [String] = []
        for index in live where ended.contains(cases[index].request.id) {
            var entry = cases[index]
            try entry.finish(
                .revoked, by: "keyroll", reason: "the audit log has its end", policy: policy, now: now)
            try folder.write(entry)
            cases[index] = entry
            lines.append("request \(entry.request.id) was put back as it had been before its end; it has ended again")
        }
        return lines
    }

    /// A caller's own cases, to decide by.
    func cases(of uid: UInt32) -> [AccessCase] {
        kept.withLock { cases in cases.isEmpty ? [] : cases.filter { $0.request.uid == uid } }
    }

    /// Takes a request.
    ///
    /// - Throws: `AccessError`; what the log or the folder throws.
    func request(
        _ operation: String, secrets: String, seconds: Int64, reason: String, by caller: Caller, _ rules: AccessRules
    ) throws -> AccessCase {
        try logging(.accessRequest, nil, caller) {
            guard rules.mayRequest(caller) else {
                throw AccessError(
                    .refused, "'\(caller.user)' may not ask for access to group \(rules.policy.group)")
            }
            guard let operation = Operation(rawValue: operation) else {
                throw AccessError(.notAccepted, "access is asked for to unprotect or to protect")
            }
            let request = try AccessRequest(
                by: caller, operation, secrets: NamePattern(secrets), for: seconds, reason: reason,
                policy: rules.policy, now: clock.now)
            return try kept.withLock { cases in
                let waiting = cases.filter {
                    guard case .waiting = $0.standing(rules.policy, now: clock.now) else { return false }
                    return $0.request.uid == caller.uid
                }
                guard waiting.count < 100 else {
                    throw AccessError(.refused, "'\(caller.user)' has 100 requests waiting; end one of them first")
                }
                // Each is kept for a month and looked at with every read.
                let own = cases.count { $0.request.uid == caller.uid && clock.now - $0.request.requested < 86400 }
                guard own < 200 else {
                    throw AccessError(.refused, "'\(caller.user)' made 200 requests within a day; wait until tomorrow")
                }
                let entry = AccessCase(request)
                try record(.accessRequest, entry, caller, facts: facts(of: request))
                try folder.write(entry)
                cases.append(entry)
                cases = folder.tidy(cases, policy: rules.policy, now: clock.now)
                return entry
            }
        }
    }

    /// Takes an approval.
    ///
    /// - Throws: `AccessError`; what the log or the folder throws.
    func approve(_ id: String, signature: [UInt8], by caller: Caller, _ rules: AccessRules) throws -> AccessCase {
        try logging(.accessApproval, id, caller) {
            try change(id, keepsFirst: false) { entry in
                try entry.approve(signature, policy: rules.policy, now: clock.now, clock: .now)
            } log: { entry in
                guard let approval = entry.approvals.last else { return }
                var facts: [(name: String, value: AuditValue)] = [
                    ("approver", .text(approval.user)), ("level", .text(approval.level)),
                    ("signature", .text(Data(approval.signature).base64EncodedString())),
                    ("statement", .text(entry.request.statement)),
                ]
                if case .granted(let until) = entry.standing(rules.policy, now: clock.now) {
                    facts.append(("grantedUntil", .text(until.description)))
                }
                try record(.accessApproval, entry, caller, facts: facts)
            }
        }
    }

    /// Turns a request down, or takes a grant back.
    ///
    /// - Throws: `AccessError`; what the log or the folder throws.
    func finish(
        _ kind: AccessCase.End.Kind, _ id: String, reason: String, by caller: Caller, _ rules: AccessRules
    ) throws -> AccessCase {
        let event: AuditEvent.Kind = kind == .denied ? .accessDenial : .accessRevocation
        return try logging(event, id, caller) {
            // What takes rights away holds before it is logged: a crash in between leaves no grant that the log has ended.
            try change(id, keepsFirst: true) { entry in
                let isOwn = entry.request.uid == caller.uid && kind == .revoked
                guard isOwn || rules.policy.isApprover(caller.user) || rules.roles(of: caller).contains(.owner) else {
                    throw AccessError(
                        .refused, "'\(caller.user)' is neither an approver nor an owner of group \(rules.policy.group)")
                }
                guard reason.utf8.count <= 500 else {
                    throw AccessError(.notAccepted, "a reason has at most 500 bytes")
                }
                try entry.finish(kind, by: caller.user, reason: reason, policy: rules.policy, now: clock.now)
            } log: { entry in
                try record(event, entry, caller, facts: [("reason", .text(reason))])
            }
        }
    }

    /// The cases that a caller may see: all of them for approvers, owners and auditors, the own ones for others.
    func visible(to caller: Caller, _ rules: AccessRules) throws -> [AccessCase] {
        let seesAll =
            rules.policy.isApprover(caller.user) || !Set(rules.roles(of: caller)).isDisjoint(with: [.owner, .auditor])
        guard seesAll || rules.mayRequest(caller) else {
            throw AccessError(.refused, "'\(caller.user)' has nothing to do with group \(rules.policy.group)")
        }
        return kept.withLock { $0.filter { seesAll || $0.request.uid == caller.uid } }
    }

    /// One of them.
    ///
    /// - Throws: `AccessError` with `noSuchRequest`.
    func visible(_ id: String, to caller: Caller, _ rules: AccessRules) throws -> AccessCase {
        guard let entry = try visible(to: caller, rules).first(where: { $0.request.id == id }) else {
            throw Self.unknown(id)
        }
        return entry
    }

    /// Logs grants whose time is over, once each.
    ///
    /// - Parameter ended: those that were logged before; added to.
    func logEnds(_ rules: AccessRules, ended: inout Set<String>) throws {
        let now = clock.now
        for entry in kept.withLock({ $0 }) where entry.granted != nil && !ended.contains(entry.request.id) {
            switch entry.standing(rules.policy, now: now) {
            case .over, .lapsed:
                ended.insert(entry.request.id)
                try log.append(
                    AuditEvent(
                        .accessEnd, .done, by: nil, grant: entry.request.id,
                        reason: entry.standing(rules.policy, now: now).word,
                        facts: [("requester", .text(entry.request.user))]), synced: false)
            default: break
            }
        }
    }

    /// Notes what time it is, as long as there is something that ends with time: a clock that is set back while no
    /// broker runs then prolongs nothing by more than the second since.
    func keepTime(_ rules: AccessRules) throws {
        let now = clock.now
        let isNeeded = kept.withLock { cases in
            cases.contains {
                switch $0.standing(rules.policy, now: now) {
                case .waiting, .granted: true
                default: false
                }
            }
        }
        if isNeeded { try log.keep(now) }
    }

    /// The ids of grants that are over already, so that they are not logged again after a start.
    func alreadyEnded(_ rules: AccessRules) -> Set<String> {
        let now = clock.now
        return Set(
            kept.withLock { $0 }.filter { entry in
                switch entry.standing(rules.policy, now: now) {
                case .over, .lapsed: entry.granted != nil
                default: false
                }
            }.map(\.request.id))
    }

    // MARK: Parts

    private func change(
        _ id: String, keepsFirst: Bool, _ body: (inout AccessCase) throws -> Void, log: (AccessCase) throws -> Void
    ) throws -> AccessCase {
        try kept.withLock { cases in
            guard let index = cases.firstIndex(where: { $0.request.id == id }) else { throw Self.unknown(id) }
            var entry = cases[index]
            try body(&entry)
            if keepsFirst {
                // It holds at once, whatever the disk says; where that takes nothing, it is tried again each second.
                cases[index] = entry
                do { try folder.write(entry) } catch {
                    unsaved.withLock { _ = $0.insert(id) }
                    throw error
                }
                try log(entry)
            } else {
                try log(entry)
                try folder.write(entry)
                cases[index] = entry
            }
            return entry
        }
    }

    /// Tries again to keep what the disk did not take.
    func keepUnsaved() throws {
        let ids = unsaved.withLock { $0 }
        guard !ids.isEmpty else { return }
        for entry in kept.withLock({ $0 }) where ids.contains(entry.request.id) {
            try folder.write(entry)
            try log.append(
                AuditEvent(
                    .accessRevocation, .done, by: nil, grant: entry.request.id,
                    reason:
                        "\(entry.end?.kind.rawValue ?? "ended") by \(entry.end?.user ?? "?"): \(entry.end?.reason ?? "")"
                ),
                synced: true)
            unsaved.withLock { _ = $0.remove(entry.request.id) }
        }
    }

    private static func unknown(_ id: String) -> AccessError {
        AccessError(.noSuchRequest, "there is no request '\(id)'; see: keyroll access list")
    }

    private func record(
        _ kind: AuditEvent.Kind, _ entry: AccessCase, _ caller: Caller, facts: [(name: String, value: AuditValue)]
    ) throws {
        try log.append(
            AuditEvent(
                kind, .done, by: AuditActor(caller), grant: entry.request.id, approvers: entry.approvals.map(\.user),
                facts: facts), synced: true)
    }

    private func facts(of request: AccessRequest) -> [(name: String, value: AuditValue)] {
        [
            ("operation", .text(request.operation.rawValue)), ("secrets", .text(request.secrets.text)),
            ("seconds", .number(request.duration)), ("why", .text(request.reason)),
        ]
    }

    /// What was refused is logged as well.
    private func logging(
        _ kind: AuditEvent.Kind, _ id: String?, _ caller: Caller, _ body: () throws -> AccessCase
    ) throws -> AccessCase {
        do { return try body() } catch let error as AccessError {
            try log.append(
                AuditEvent(
                    kind, .refused, by: AuditActor(caller),
                    grant: id.flatMap { AccessRequest.isIdentity($0) ? $0 : nil }, reason: error.description),
                synced: true)
            throw error
        }
    }
}

extension AuditActor {
    /// Who asks, as the log names them.
    init(_ caller: Caller) {
        self.init(uid: caller.uid, user: caller.user, pid: caller.pid, executable: caller.executable)
    }
}
