extension AuditEvent {
    /// The names of secrets that a job failed on, in as many entries as it takes: up to 100 names each, and never more
    /// than fits into a line.
    ///
    /// - Parameters:
    ///   - names: the secrets' names.
    ///   - job: the job's identity.
    ///   - actor: who ran it.
    public static func failedSecrets(_ names: [String], job: String, by actor: AuditActor?) -> [AuditEvent] {
        var events: [AuditEvent] = []
        var part: [String] = []
        var size = 0
        func end() {
            guard !part.isEmpty else { return }
            events.append(
                AuditEvent(.failedSecrets, .failed, by: actor, facts: [("job", .text(job)), ("secrets", .list(part))]))
            part = []
            size = 0
        }
        for name in names {
            // As JSON: a control character takes six bytes at most, and there are quotes and a comma.
            let own = name.utf8.reduce(3) { $0 + ($1 < 0x20 ? 6 : $1 == 0x22 || $1 == 0x5C ? 2 : 1) }
            if part.count == 100 || size + own > 48 << 10 { end() }
            part.append(name)
            size += own
        }
        end()
        return events
    }
}
