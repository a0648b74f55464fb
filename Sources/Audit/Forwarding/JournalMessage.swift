import Glibc

/// The native protocol of systemd's journal: `FIELD=value` lines in one datagram, and for values with a new line the
/// field's name, the length in 64 bits, little endian, and the value.
enum JournalMessage {
    static let socket = "/run/systemd/journal/socket"

    static func encode(_ entry: ForwardedEntry) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(entry.line.count + 512)
        func field(_ name: StaticString, _ value: some Collection<UInt8>) {
            name.withUTF8Buffer { message += $0 }
            if value.contains(10) {
                message.append(10)
                withUnsafeBytes(of: UInt64(value.count).littleEndian) { message += $0 }
            } else {
                message.append(UInt8(ascii: "="))
            }
            message += value
            message.append(10)
        }
        let event = entry.event
        field("MESSAGE", entry.line)
        field("PRIORITY", "\(event.severity)".utf8)
        field("SYSLOG_IDENTIFIER", "keyroll".utf8)
        field("KEYROLL_KIND", event.kind.rawValue.utf8)
        field("KEYROLL_OUTCOME", event.outcome.rawValue.utf8)
        field("KEYROLL_ENTRY", "\(entry.position.number)".utf8)
        field("KEYROLL_HASH", entry.position.hash.utf8)
        if let secret = event.secret { field("KEYROLL_SECRET", secret.utf8) }
        if let grant = event.grant { field("KEYROLL_GRANT", grant.utf8) }
        if let actor = event.actor {
            field("KEYROLL_UID", "\(actor.uid)".utf8)
            field("KEYROLL_USER", actor.user.utf8)
        }
        return message
    }
}

extension AuditEvent {
    /// RFC 5424, section 6.2.1: error, warning or informational.
    var severity: Int {
        switch outcome {
        case .failed: 3
        case .refused: 4
        case .done, .begun: kind == .tornTail ? 4 : 6
        }
    }
}
