import Glibc

/// How an event becomes a line: one JSON object (RFC 8259) whose members always come in this order, so that a reader
/// finds number, hash and time without a parser, and equal entries are equal bytes.
enum EntryEncoding {
    /// The most bytes of a secret's name, a reason, a program's path, or a fact's text.
    static let longestText = 1024
    /// The most bytes of a user's, approver's or grant's name.
    static let longestName = 256
    /// The most bytes of a signature's base64.
    static let longestSignature = 32 << 10
    private static let ending: StaticString = ",\"cut\":true}\n"

    /// Writes a line with its new line.
    ///
    /// - Returns: where it lies in the buffer, the new line left out.
    static func write(
        _ event: AuditEvent, number: UInt64, previous: EntryHash, at moment: timespec, _ clock: inout Moment,
        to buffer: LineBuffer
    ) -> Range<Int> {
        let start = buffer.count
        let spare = ending.utf8CodeUnitCount
        buffer.beginLine(spare: spare)
        buffer.put("{\"number\":")
        buffer.put(number)
        buffer.put(",\"previous\":\"")
        previous.withUnsafeBytes { buffer.put($0) }
        buffer.put("\",\"at\":\"")
        buffer.put(moment, &clock)
        buffer.put("\",\"kind\":\"")
        buffer.put(event.kind.word)
        buffer.put("\",\"outcome\":\"")
        buffer.put(event.outcome.word)
        buffer.put(UInt8(ascii: "\""))
        var isCut = false
        // A member that does not fit is left out as a whole, and the line says so.
        func member(_ body: () -> Void) {
            let mark = buffer.count
            body()
            guard buffer.overflowed else { return }
            buffer.count = mark
            buffer.overflowed = false
            isCut = true
        }
        if let actor = event.actor { member { write(actor, buffer) } }
        if let secret = event.secret {
            member {
                buffer.put(",\"secret\":")
                buffer.put(quoted: secret, longest: longestText)
            }
        }
        if let grant = event.grant {
            member {
                buffer.put(",\"grant\":")
                buffer.put(quoted: grant, longest: longestName)
            }
        }
        if !event.approvers.isEmpty {
            member {
                buffer.put(",\"approvers\":")
                write(event.approvers, longestName, buffer)
            }
        }
        if let reason = event.reason {
            member {
                buffer.put(",\"reason\":")
                buffer.put(quoted: reason, longest: longestText)
            }
        }
        if !event.facts.isEmpty {
            member { buffer.put(",\"facts\":{}") }
            // Each fact by itself, inside the braces.
            if !isCut {
                buffer.count -= 1
                var isFirst = true
                for fact in event.facts {
                    member {
                        if !isFirst { buffer.put(UInt8(ascii: ",")) }
                        // What proves something is worth nothing when it is cut.
                        let longest =
                            event.kind == .checkpoint || event.kind == .accessApproval ? longestSignature : longestText
                        buffer.put(quoted: fact.name, longest: longestName)
                        buffer.put(UInt8(ascii: ":"))
                        write(fact.value, longest, buffer)
                        // Room for the brace.
                        if !buffer.overflowed {
                            buffer.put(UInt8(ascii: "}"))
                            if !buffer.overflowed { buffer.count -= 1 }
                        }
                        if !buffer.overflowed { isFirst = false }
                    }
                }
                buffer.put(UInt8(ascii: "}"))
            }
        }
        buffer.endLine(spare: spare)
        if isCut { buffer.put(",\"cut\":true") }
        buffer.put("}\n")
        return start..<(buffer.count - 1)
    }

    private static func write(_ actor: AuditActor, _ buffer: LineBuffer) {
        buffer.put(",\"actor\":{\"uid\":")
        buffer.put(UInt64(actor.uid))
        buffer.put(",\"user\":")
        buffer.put(quoted: actor.user, longest: longestName)
        buffer.put(",\"pid\":")
        buffer.put(Int64(actor.pid))
        buffer.put(",\"executable\":")
        buffer.put(quoted: actor.executable, longest: longestText)
        buffer.put(UInt8(ascii: "}"))
    }

    private static func write(_ list: [String], _ longest: Int, _ buffer: LineBuffer) {
        buffer.put(UInt8(ascii: "["))
        for (index, text) in list.enumerated() {
            if index > 0 { buffer.put(UInt8(ascii: ",")) }
            buffer.put(quoted: text, longest: longest)
        }
        buffer.put(UInt8(ascii: "]"))
    }

    private static func write(_ value: AuditValue, _ longest: Int, _ buffer: LineBuffer) {
        switch value {
        case .text(let text): buffer.put(quoted: text, longest: longest)
        case .number(let number): buffer.put(number)
        case .flag(let flag): buffer.put(flag ? "true" : "false")
        case .list(let list): write(list, longest, buffer)
        case .counts(let counts):
            buffer.put(UInt8(ascii: "{"))
            for (index, name) in counts.keys.sorted().enumerated() {
                if index > 0 { buffer.put(UInt8(ascii: ",")) }
                buffer.put(quoted: name, longest: longestName)
                buffer.put(UInt8(ascii: ":"))
                buffer.put(counts[name, default: 0])
            }
            buffer.put(UInt8(ascii: "}"))
        }
    }
}

extension AuditEvent.Kind {
    /// The same as `rawValue`, without making a string.
    var word: StaticString {
        switch self {
        case .protect: "protect"
        case .unprotect: "unprotect"
        case .remove: "remove"
        case .rename: "rename"
        case .job: "job"
        case .failedSecrets: "failedSecrets"
        case .key: "key"
        case .policy: "policy"
        case .accessRequest: "accessRequest"
        case .accessApproval: "accessApproval"
        case .accessDenial: "accessDenial"
        case .accessRevocation: "accessRevocation"
        case .accessEnd: "accessEnd"
        case .refusal: "refusal"
        case .brokerStart: "brokerStart"
        case .brokerStop: "brokerStop"
        case .checkpoint: "checkpoint"
        case .tornTail: "tornTail"
        case .forwarding: "forwarding"
        }
    }
}

extension AuditEvent.Outcome {
    /// The same as `rawValue`, without making a string.
    var word: StaticString {
        switch self {
        case .done: "done"
        case .begun: "begun"
        case .refused: "refused"
        case .failed: "failed"
        }
    }
}
