import Glibc

/// A syslog message after RFC 5424, with structured data; its text is the stored line.
enum SyslogMessage {
    /// Facility 13, log audit.
    private static let facility = 13
    /// 32473 is the enterprise number for documentation (RFC 5612): nobody else's.
    private static let identifier = "keyroll@32473"

    private static let host: String = {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.filter { (33...126).contains($0) }
        return bytes.isEmpty ? "-" : String(decoding: bytes, as: UTF8.self)
    }()

    static func encode(_ entry: ForwardedEntry) -> [UInt8] {
        let event = entry.event
        // The time stands at one place in every line.
        let at = entry.line.withUnsafeBytes { line in
            EntryScanner.scan(line).map { String(decoding: line[$0.at], as: UTF8.self) } ?? "-"
        }
        var message = Array(
            "<\(facility * 8 + event.severity)>1 \(at) \(host) keyroll \(getpid()) \(event.kind.rawValue) [\(identifier)"
                .utf8)
        func parameter(_ name: String, _ value: String) {
            message += " \(name)=\"".utf8
            for byte in value.utf8 {
                // Section 6.3.3.
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "]") {
                    message.append(UInt8(ascii: "\\"))
                }
                message.append(byte)
            }
            message.append(UInt8(ascii: "\""))
        }
        parameter("kind", event.kind.rawValue)
        parameter("outcome", event.outcome.rawValue)
        parameter("entry", "\(entry.position.number)")
        parameter("hash", entry.position.hash)
        if let actor = event.actor {
            parameter("uid", "\(actor.uid)")
            parameter("user", actor.user)
        }
        if let secret = event.secret { parameter("secret", secret) }
        if let grant = event.grant { parameter("grant", grant) }
        message += "] ".utf8
        message += entry.line
        return message
    }
}
