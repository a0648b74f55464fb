/// A slot of a key page: the generation's number (4 bytes, big-endian), then the wrapped data key (40 bytes).
///
/// A free slot is 44 zero bytes.
public enum Slot {
    /// 44 bytes.
    public static let length = 44
    /// Where the wrapped key begins.
    public static let wrappedKeyOffset = 4

    /// The generation's number; 0 for a free slot.
    @inline(__always)
    public static func generation(_ slot: UnsafeRawPointer) -> UInt32 {
        UInt32(bigEndian: slot.loadUnaligned(as: UInt32.self))
    }

    /// Writes the generation's number.
    @inline(__always)
    public static func setGeneration(_ number: UInt32, _ slot: UnsafeMutableRawPointer) {
        slot.storeBytes(of: number.bigEndian, as: UInt32.self)
    }
}

/// Where a secret's slot lies. Place is not identity: a place that a deleted secret left is used again.
public struct SlotPlace: Sendable, Hashable {
    /// The page's number, from 1.
    public var page: Int64
    /// The slot in the page, from 0.
    public var slot: Int

    /// - Parameters:
    ///   - page: from 1.
    ///   - slot: from 0.
    public init(page: Int64, slot: Int) {
        self.page = page
        self.slot = slot
    }
}
