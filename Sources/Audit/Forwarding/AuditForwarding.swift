/// The places that entries can be forwarded to.
public enum AuditForwarding {
    /// systemd's journal.
    ///
    /// - Parameter socket: the journal's socket.
    public static func journal(socket: String = "/run/systemd/journal/socket") -> any AuditForwarder {
        ForwardingQueue(DatagramSink(path: socket), encode: JournalMessage.encode)
    }

    /// Gives everything that waits in this process a moment to get away, before the process ends.
    public static func finish() { ForwardingQueue.finishAll() }

    /// Reads `journal`, `journal:SOCKET`, `syslog:unix:/dev/log`, `syslog:udp:HOST:PORT` or `syslog:tcp:HOST:PORT`.
    ///
    /// - Throws: ``AuditError`` with `usage`.
    public static func parse(_ text: String) throws -> any AuditForwarder {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("journal", 1): return journal()
        case ("journal", 2) where parts[1].hasPrefix("/"): return journal(socket: parts[1])
        case ("syslog", 3) where parts[1] == "unix" && parts[2].hasPrefix("/"):
            return ForwardingQueue(DatagramSink(path: parts[2]), encode: SyslogMessage.encode)
        case ("syslog", 3) where parts[1] == "udp" || parts[1] == "tcp":
            guard let (host, port) = address(parts[2]) else { break }
            return ForwardingQueue(
                NetworkSink(host: host, port: port, isStream: parts[1] == "tcp"), encode: SyslogMessage.encode)
        default: break
        }
        throw AuditError(
            .usage,
            "'\(text)' is nowhere to forward to; one of: journal, syslog:unix:/dev/log, syslog:udp:HOST:PORT, syslog:tcp:HOST:PORT"
        )
    }

    /// `HOST:PORT`, with an IPv6 address in brackets.
    private static func address(_ text: String) -> (host: String, port: String)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = String(text[..<colon])
        let port = String(text[text.index(after: colon)...])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, let number = UInt16(port), number > 0 else { return nil }
        return (host, port)
    }
}
