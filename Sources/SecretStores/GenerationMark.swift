public import Cryptography

/// What a store notes of each generation that ever protected in it, so that a ring that lacks one, or has another
/// under the same number, is recognised before anything is written.
public struct GenerationMark: Sendable, Equatable {
    /// The generation's number.
    public var number: UInt32
    /// Its 128-bit identity.
    public var identity: Identity
    /// Its key check value, 8 bytes.
    public var checkValue: [UInt8]

    /// - Parameters:
    ///   - number: the generation's number.
    ///   - identity: its 128-bit identity.
    ///   - checkValue: its key check value, 8 bytes.
    public init(number: UInt32, identity: Identity, checkValue: [UInt8]) {
        self.number = number
        self.identity = identity
        self.checkValue = checkValue
    }
}

/// A store's fence and its marks.
public struct StoreMarks: Sendable, Equatable {
    /// The generation that may protect here; 0 before the first.
    public var fence: UInt32
    /// Every generation seen, in the order of their numbers.
    public var generations: [GenerationMark]

    /// - Parameters:
    ///   - fence: the generation that may protect.
    ///   - generations: every generation seen.
    public init(fence: UInt32, generations: [GenerationMark]) {
        self.fence = fence
        self.generations = generations
    }
}
