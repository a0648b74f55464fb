/// Passes entries on to somewhere else as they are written. It never blocks and never fails: what it cannot pass on is
/// lost there, never here.
public protocol AuditForwarder: Sendable {
    /// Takes an entry that is in the log.
    ///
    /// - Parameters:
    ///   - line: the stored line without its new line; it holds for the call only.
    ///   - event: what was logged.
    ///   - position: its number and hash.
    func forward(_ line: UnsafeRawBufferPointer, _ event: AuditEvent, position: AuditPosition)

    /// How many entries were lost, once forwarding works again; told once, 0 else.
    func lostToReport() -> UInt64

    /// The log is about to be closed: what waits may get away, within a moment.
    func finish()
}

extension AuditForwarder {
    /// Nothing is ever lost.
    public func lostToReport() -> UInt64 { 0 }
    /// Nothing waits.
    public func finish() {}
}
