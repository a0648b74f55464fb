public import Cryptography

/// The `kid` of a recipient: which generation of which group wrapped the data key.
///
/// 20 bytes: the group's 128-bit identity, then the generation's number (big-endian). A plain COSE recipient
/// does not authenticate its `kid`; the strict decoder, the generation in the slot and the group's identity
/// in the additional data close that.
public struct KeyIdentifier: Hashable, Sendable {
    /// The encoded length: 20 bytes.
    public static let length = 20
    /// The group.
    public var group: Identity
    /// The generation's number, from 1.
    public var generation: UInt32

    /// - Parameters:
    ///   - group: the group's identity.
    ///   - generation: the generation's number, from 1.
    public init(group: Identity, generation: UInt32) {
        self.group = group
        self.generation = generation
    }

    /// The 20 bytes.
    public var bytes: [UInt8] {
        group.bytes + withUnsafeBytes(of: generation.bigEndian) { Array($0) }
    }

    /// - Parameter bytes: 20 bytes with a number that is not 0, else nil is returned.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.length, let group = Identity(bytes[..<16]) else { return nil }
        self.group = group
        generation = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        guard generation > 0 else { return nil }
    }
}
