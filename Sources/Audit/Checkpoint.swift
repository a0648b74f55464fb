import Cryptography
import Glibc
import Interchange

/// What a checkpoint signs: the group, and the entry before it with its hash, which stands for everything before.
struct Checkpoint: Equatable {
    static let title = "keyroll audit checkpoint/1"
    var groupName: String
    /// 32 hexadecimal digits.
    var group: String
    /// The entry before the checkpoint.
    var position: AuditPosition
    /// The checkpoint's own time, as its line has it.
    var at: String

    init(group: Identity, name: String, position: AuditPosition, at: String) {
        self.group = group.description
        // One line, whatever the configuration says.
        groupName = String(String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
        self.position = position
        self.at = at
    }

    /// The signed text.
    var text: String {
        """
        \(Self.title)
        group \(groupName)
        identity \(group)
        entry \(position.number)
        hash \(position.hash)
        at \(at)

        """
    }

    /// Reads a signed text; nil for any other.
    init?(_ content: [UInt8]) {
        guard let text = String(validating: content, as: UTF8.self) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        func value(_ index: Int, _ name: String) -> String? {
            lines[index].hasPrefix(name + " ") ? String(lines[index].dropFirst(name.count + 1)) : nil
        }
        guard lines.count == 7, lines[0] == Self.title, let name = value(1, "group"), let group = value(2, "identity"),
            let number = value(3, "entry").flatMap({ UInt64($0) }), let hash = value(4, "hash"), let at = value(5, "at")
        else { return nil }
        groupName = name
        self.group = group
        position = AuditPosition(number: number, hash: hash)
        self.at = at
        guard self.text == text else { return nil }
    }

    /// The entry that carries the signature.
    func event(signedBy signer: (certificate: Certificate, key: PrivateKey)) throws -> AuditEvent {
        let message = try SignedMessage.sign(
            Array(text.utf8), by: signer.certificate, signer.key, isDetached: false)
        return AuditEvent(.checkpoint, .done, by: nil, facts: [("signature", .text(Self.base64(message)))])
    }

    /// Base64 (RFC 4648, section 4).
    static func base64(_ bytes: [UInt8]) -> String {
        let count = Base64.encodedCount(bytes.count)
        return String(unsafeUninitializedCapacity: count) { output in
            if let base = output.baseAddress { bytes.withUnsafeBytes { Base64.encode($0, to: base) } }
            return count
        }
    }

    /// The bytes of a signature's base64; nil where it is none.
    static func message(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var bytes = Array(text)
        let count = bytes.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { Base64.decode(inPlace: $0, count: buffer.count) }
        }
        guard let count, text.count % 4 == 0 else { return nil }
        return Array(bytes[..<count])
    }
}
