public import Cryptography

/// A generation's key as it lies in a bundle's envelope, with what it belongs to beside it.
///
/// Five lines of text, so that `openssl` and `sed` are all that is needed in twenty years:
///
/// ```
/// keyroll-generation-1
/// group 00112233445566778899aabbccddeeff
/// number 3
/// identity ffeeddccbbaa99887766554433221100
/// key 64 hexadecimal digits
/// ```
public struct GenerationMaterial: Sendable {
    /// The group's identity.
    public let group: Identity
    /// The generation's number.
    public let number: UInt32
    /// The generation's identity.
    public let identity: Identity
    /// The key, 32 bytes.
    public let key: RecipientEnvelope.SharedKey

    private static let version = "keyroll-generation-1"
    /// The most bytes the text may have.
    private static let limit = 512

    init(group: Identity, number: UInt32, identity: Identity, key: RecipientEnvelope.SharedKey) {
        self.group = group
        self.number = number
        self.identity = identity
        self.key = key
    }

    private var head: [UInt8] {
        Array("\(Self.version)\ngroup \(group)\nnumber \(number)\nidentity \(identity)\nkey ".utf8)
    }

    /// The text, in locked memory.
    func encoded() throws -> SecureBytes {
        try SecretDigits.line(head: head, key: key.bytes)
    }

    /// Reads the text; nil for anything that ``encoded()`` does not write.
    init?(decoding text: borrowing SecureBytes) throws {
        guard text.count <= Self.limit, text.count > 65 else { return nil }
        let headLength = text.count - 65
        // What precedes the key is no secret.
        let head = text.withUnsafeBytes { String(decoding: $0[..<headLength], as: UTF8.self) }
        let lines = head.split(separator: "\n", omittingEmptySubsequences: false)
        func value(_ index: Int, _ name: String) -> Substring? {
            lines[index].hasPrefix(name + " ") ? lines[index].dropFirst(name.count + 1) : nil
        }
        guard lines.count == 5, lines[0] == Self.version,
            let group = value(1, "group").flatMap({ SecretDigits.publicBytes($0) }).flatMap({ Identity($0) }),
            let number = value(2, "number").flatMap({ UInt32($0) }),
            let identity = value(3, "identity").flatMap({ SecretDigits.publicBytes($0) }).flatMap({ Identity($0) }),
            lines[4] == "key "
        else { return nil }
        let isWhole = text.withUnsafeBytes { $0[headLength + 64] == 10 }
        guard isWhole, let key = try SecretDigits.key(in: text, at: headLength) else { return nil }
        self.init(group: group, number: number, identity: identity, key: RecipientEnvelope.SharedKey(key))
        guard self.head == Array(head.utf8) else { return nil }
    }
}
