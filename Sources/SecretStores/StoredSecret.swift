/// A secret as a store holds it: everything but the plaintext, slot and content from one snapshot.
public struct StoredSecret: Sendable {
    /// Where its slot lies.
    public var place: SlotPlace
    /// Its name, UTF-8.
    public var name: [UInt8]
    /// Its context, or nil.
    public var context: [UInt8]?
    /// Its birth generation.
    public var birth: UInt32
    /// 44 bytes.
    public var slot: [UInt8]
    /// The message's body.
    public var body: [UInt8]

    /// The generation that wraps its data key.
    public var generation: UInt32 { slot.withUnsafeBytes { Slot.generation($0.baseAddress!) } }
}

/// A line of a listing.
public struct SecretSummary: Sendable, Equatable {
    /// The name.
    public var name: String
    /// The generation that wraps its data key.
    public var generation: UInt32
    /// The birth generation.
    public var birth: UInt32
    /// The length of the message's body in bytes.
    public var bodyLength: Int
}
