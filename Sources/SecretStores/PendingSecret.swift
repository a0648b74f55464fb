/// One version of a secret on its way into a store: pointers into memory that its maker keeps until the call ends.
public struct PendingSecret {
    /// The name, UTF-8, 1 to 1,024 bytes.
    public var name: UnsafeRawBufferPointer
    /// The context, or nil.
    public var context: UnsafeRawBufferPointer?
    /// The message's body.
    public var body: UnsafeRawBufferPointer
    /// 44 bytes.
    public var slot: UnsafeRawPointer
    /// The birth generation, which is the slot's.
    public var birth: UInt32

    /// - Parameters:
    ///   - name: UTF-8, 1 to 1,024 bytes.
    ///   - context: additional data, or nil.
    ///   - body: the message's body.
    ///   - slot: 44 bytes.
    ///   - birth: the birth generation.
    public init(
        name: UnsafeRawBufferPointer, context: UnsafeRawBufferPointer?, body: UnsafeRawBufferPointer,
        slot: UnsafeRawPointer, birth: UInt32
    ) {
        self.name = name
        self.context = context
        self.body = body
        self.slot = slot
        self.birth = birth
    }
}

/// What to do where the name is taken.
public enum ConflictDecision: Sendable {
    /// Write the new version over it.
    case replace
    /// Same content: nothing to do.
    case unchanged
    /// Leave what is there, and report it.
    case keep
}

/// What became of the secrets of one write.
public struct WriteTally: Sendable, Equatable {
    /// New names.
    public var added = 0
    /// New versions of known names.
    public var replaced = 0
    /// Known names with the same content.
    public var unchanged = 0
    /// Known names with another content that were kept; their indices are in ``keptIndices``.
    public var kept = 0
    /// Which ones were kept.
    public var keptIndices: [Int] = []

    /// Nothing yet.
    public init() {}
}
