public import Cryptography
public import Files

/// What somebody asks for, exactly as the approvers sign it.
public struct AccessRequest: Sendable, Equatable {
    /// The group's name.
    public var group: String
    /// The group's identity.
    public var identity: Identity
    /// The request's own: random, so that no approval fits two.
    public var id: String
    /// The user who asks.
    public var user: String
    /// That user's number.
    public var uid: UInt32
    /// What they want to do.
    public var operation: Operation
    /// With which secrets.
    public var secrets: NamePattern
    /// For how long, in seconds from the last approval.
    public var duration: Int64
    /// Why.
    public var reason: String
    /// The policy's revision then.
    public var revision: UInt64
    /// When it was asked.
    public var requested: Timestamp
    /// Until when it may wait for approvals.
    public var expires: Timestamp

    /// What may be asked for: more than reading and writing goes by roles alone.
    public static let operations: Set<Operation> = [.unprotect, .protect]

    /// A new request.
    ///
    /// - Parameters:
    ///   - caller: who asks.
    ///   - operation: unprotect or protect.
    ///   - secrets: with which.
    ///   - duration: seconds.
    ///   - reason: why, one line of 1 to 500 bytes.
    ///   - policy: the present one.
    ///   - now: now.
    /// - Throws: ``AccessError`` with `notAccepted` or `refused`; `CryptographyError`.
    public init(
        by caller: Caller, _ operation: Operation, secrets: NamePattern, for duration: Int64, reason: String,
        policy: AccessPolicy, now: Timestamp
    ) throws {
        guard Self.operations.contains(operation) else {
            throw AccessError(.notAccepted, "access is asked for to unprotect or to protect")
        }
        guard (1...policy.maximumDuration).contains(duration) else {
            throw AccessError(
                .notAccepted, "this group grants access for at most \(policy.maximumDuration) seconds; ask for less")
        }
        guard !reason.isEmpty, reason.utf8.count <= 500, StatementText.isPlain(reason) else {
            throw AccessError(.notAccepted, "a reason is one line of 1 to 500 bytes")
        }
        guard !policy.levels.isEmpty else {
            throw AccessError(.refused, "this group's policy has no approval levels: nobody gets in that way")
        }
        let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")
        id = String(try Random.publicBytes(12).map { alphabet[Int($0) % alphabet.count] })
        group = policy.group
        identity = policy.identity
        user = caller.user
        uid = caller.uid
        self.operation = operation
        self.secrets = secrets
        self.duration = duration
        self.reason = reason
        revision = policy.revision
        requested = now
        expires = now + policy.maximumWait
    }

    /// The text that approvers sign: every line says one thing, so that a person can read what he signs.
    public var statement: String {
        """
        keyroll access request/1
        group: \(group)
        group identity: \(identity)
        request: \(id)
        requester: \(user) (uid \(uid))
        operation: \(operation.rawValue)
        secrets: \(secrets.text)
        duration: \(duration) seconds
        reason: \(reason)
        policy revision: \(revision)
        requested: \(requested)
        expires: \(expires)

        """
    }

    /// Reads a statement back.
    ///
    /// - Returns: nil for what ``statement`` does not write.
    public init?(statement: String) {
        // Byte by byte: what is written may begin with an accent, which is one character with the space before it.
        let lines = statement.utf8.split(separator: 10, omittingEmptySubsequences: false)
        let labels = [
            "keyroll access request/1", "group: ", "group identity: ", "request: ", "requester: ", "operation: ",
            "secrets: ", "duration: ", "reason: ", "policy revision: ", "requested: ", "expires: ", "",
        ]
        guard lines.count == labels.count, zip(lines, labels).allSatisfy({ $0.starts(with: $1.utf8) })
        else { return nil }
        let values = zip(lines, labels).map { String(decoding: $0.dropFirst($1.utf8.count), as: UTF8.self) }
        guard let identity = Identity(hexadecimal: values[2]), let (user, uid) = Self.requester(values[4]),
            let operation = Operation(rawValue: values[5]), let secrets = try? NamePattern(values[6]),
            values[7].hasSuffix(" seconds"), let duration = Int64(values[7].dropLast(8)),
            let revision = UInt64(values[9]), let requested = Timestamp(values[10]),
            let expires = Timestamp(values[11])
        else { return nil }
        group = values[1]
        self.identity = identity
        id = values[3]
        self.user = user
        self.uid = uid
        self.operation = operation
        self.secrets = secrets
        self.duration = duration
        reason = values[8]
        self.revision = revision
        self.requested = requested
        self.expires = expires
        guard self.statement.utf8.elementsEqual(statement.utf8) else { return nil }
    }

    /// A user and its number, as in `ann (uid 7)`; the name may hold anything.
    private static func requester(_ text: String) -> (user: String, uid: UInt32)? {
        let bytes = Array(text.utf8)
        let opening = Array(" (uid ".utf8)
        guard bytes.last == UInt8(ascii: ")"),
            let open = bytes.indices.last(where: { bytes[$0...].starts(with: opening) }),
            let uid = UInt32(String(decoding: bytes[(open + opening.count)...].dropLast(), as: UTF8.self))
        else { return nil }
        return (String(decoding: bytes[..<open], as: UTF8.self), uid)
    }

    /// Whether a text may be a request's identity, and so a part of a file's name.
    public static func isIdentity(_ text: String) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (97...122).contains($0) || (50...57).contains($0) }
    }
}

/// Text that stands in one line of a statement.
enum StatementText {
    static func isPlain(_ text: String) -> Bool {
        // A run of spaces could push words to where a line seems to begin.
        !text.contains("   ")
            && text.unicodeScalars.allSatisfy {
                if $0.properties.isDefaultIgnorableCodePoint { return false }
                switch $0.properties.generalCategory {
                // A direction override or a line separator would show another text than the one that is signed.
                case .control, .format, .lineSeparator, .paragraphSeparator: return false
                default: return true
                }
            }
    }
}
