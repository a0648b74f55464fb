public import Cryptography
public import Files

/// The record of one key generation; its key is not in it in clear.
public struct Generation: Sendable, Equatable {
    /// One change of state.
    public struct Transition: Sendable, Equatable {
        /// The new state.
        public var state: GenerationState
        /// When, by the clock of the machine that did it.
        public var at: Timestamp
        /// The ring's sequence number at that change: order comes from this, not from the clock.
        public var sequence: UInt64
        /// Why, in a person's or a job's words.
        public var reason: String
        /// For a compromise: when it happened, as far as is known; ``at`` is when it was recorded.
        public var occurred: Timestamp?

        /// One change of state.
        public init(
            state: GenerationState, at: Timestamp, sequence: UInt64, reason: String, occurred: Timestamp? = nil
        ) {
            self.state = state
            self.at = at
            self.sequence = sequence
            self.reason = reason
            self.occurred = occurred
        }
    }

    /// 1, 2, 3 …, never given out twice in a group.
    public internal(set) var number: UInt32
    /// Names this generation for ever, in case two rings ever give out the same number.
    public internal(set) var identity: Identity
    /// 8 bytes derived from the key (HKDF): tells two keys apart without telling anything else of them.
    public internal(set) var checkValue: [UInt8]
    /// All states so far, the newest last, never empty.
    public internal(set) var history: [Transition]
    /// Whether the material is in bundles only.
    public internal(set) var isArchived: Bool
    /// The key under the root key (nonce, ciphertext, tag: 60 bytes); nil once archived or destroyed.
    public internal(set) var sealed: [UInt8]?
    /// The verified bundle it is in; nil before it was escrowed.
    public internal(set) var escrow: Escrow?
    /// Since when no live secret needs it, as a full scan found; nil while one does.
    public internal(set) var emptySince: Timestamp?
    /// For a compromised one: when everything that it may have exposed was last encrypted anew.
    public internal(set) var reencrypted: Timestamp?
    /// When and why it was taken off line.
    public internal(set) var archived: Archived?
    /// That it is on line again for a time.
    public internal(set) var restoration: Restoration?
    /// That its destruction was asked for.
    public internal(set) var destruction: Destruction?

    /// When and why a generation was taken off line.
    public struct Archived: Sendable, Equatable {
        /// When.
        public var at: Timestamp
        /// Why.
        public var reason: String
    }

    /// The present state.
    public var state: GenerationState { history.last?.state ?? .preActivation }

    /// When it was published.
    public var created: Timestamp { history.first?.at ?? Timestamp(rawValue: 0) }

    /// When it first came into a state, or nil where it never did.
    public func since(_ state: GenerationState) -> Timestamp? { history.first { $0.state == state }?.at }
}
