public import Cryptography
public import Files

/// All generations of a key group, with their states and dates, and the group's policy.
///
/// A pure value: every rule about states is here and does no input or output.
public struct Ring: Sendable, Equatable {
    /// The group's 128-bit identity.
    public internal(set) var group: Identity
    /// The group's name, for people.
    public internal(set) var name: String
    /// Counts the changes; the order of events comes from it.
    public internal(set) var sequence: UInt64
    /// The highest number ever given out.
    public internal(set) var highestNumber: UInt32
    /// The group's policy.
    public internal(set) var policy: Policy
    /// In the order of their numbers.
    public internal(set) var generations: [Generation]
    /// Whose keys open the bundles.
    public internal(set) var recipients: [Recipient] = []
    /// Who signs bundles and reports.
    public internal(set) var signer: Signer?
    /// Certificates of those who signed before, DER.
    public internal(set) var formerSigners: [[UInt8]] = []
    /// Tells the bundles of a ring that was built anew from those of the ring before: part of their names. Else empty.
    public internal(set) var epoch = ""
    /// Whether it was made to read an old copy for a time, and protects nothing.
    public internal(set) var onlyReads = false
    /// How many records the evidence had, and the hash of the last one, when a job last ended.
    public internal(set) var evidence = EvidenceAnchor()
    /// Who may reach the keys; nil where nobody has said so, and only whoever can open the home does.
    public internal(set) var access: StoredAccess?
    /// Copies of the home and its stores that lie elsewhere.
    public internal(set) var copies: [RegisteredCopy] = []

    init(group: Identity, name: String, policy: Policy) {
        self.group = group
        self.name = name
        self.policy = policy
        sequence = 0
        highestNumber = 0
        generations = []
    }

    /// The generation that protects, if there is one.
    public var active: Generation? { generations.first { $0.state == .active } }

    /// The generation with a number, if the ring has it.
    public func generation(_ number: UInt32) -> Generation? { generations.first { $0.number == number } }

    /// The highest number that ever became active, 0 before the first: stores' fences stand there, and a lower one could
    /// protect nowhere.
    public var highestActivated: UInt32 { generations.last { $0.since(.active) != nil }?.number ?? 0 }

    /// The published generation that was not activated, the newest if there are several.
    public var pending: Generation? { generations.last { $0.state == .preActivation && $0.destruction == nil } }

    /// The one of them that may still be activated: above every one that was.
    public var candidate: Generation? {
        pending.flatMap { $0.number > highestActivated && $0.sealed != nil ? $0 : nil }
    }

    /// The number the next generation gets: above everything that the ring or anybody else has seen.
    ///
    /// - Parameter seen: the highest number that stores and bundles know.
    /// - Throws: ``KeyManagementError`` with `transitionRefused` where there is none left: somebody wrote the last
    ///   number into a store.
    public func nextNumber(above seen: UInt32) throws -> UInt32 {
        let highest = max(highestNumber, seen)
        guard highest < .max else {
            throw KeyManagementError(
                .transitionRefused,
                "generation \(highest) is the last number there is: a store was altered from outside")
        }
        return highest + 1
    }

    /// Takes over another policy.
    public mutating func adopt(_ policy: Policy) { self.policy = policy }

    /// Adds a generation in the state pre-activation.
    mutating func publish(
        _ number: UInt32, identity: Identity, checkValue: [UInt8], sealed: [UInt8], at moment: Timestamp, reason: String
    ) {
        precondition(number > highestNumber, "numbers are never given out twice")
        highestNumber = number
        generations.append(
            Generation(
                number: number, identity: identity, checkValue: checkValue,
                history: [.init(state: .preActivation, at: moment, sequence: sequence, reason: reason)],
                isArchived: false, sealed: sealed))
    }

    /// Changes a generation's state, if SP 800-57 allows it, and records when and why.
    ///
    /// - Throws: ``KeyManagementError`` with `noSuchGeneration` or `transitionRefused`.
    public mutating func move(
        _ number: UInt32, to state: GenerationState, at moment: Timestamp, reason: String
    ) throws {
        guard let index = generations.firstIndex(where: { $0.number == number }) else {
            throw KeyManagementError(
                .noSuchGeneration, "group \(name) has no generation \(number); see: keyroll generation list")
        }
        let present = generations[index].state
        guard present.successors.contains(state) else {
            throw KeyManagementError(
                .transitionRefused, "generation \(number) is \(present.rawValue) and cannot become \(state.rawValue)")
        }
        if state == .active, let active, active.number != number {
            throw KeyManagementError(
                .transitionRefused, "generation \(active.number) is active; two cannot be at once")
        }
        generations[index].history.append(.init(state: state, at: moment, sequence: sequence, reason: reason))
        if state == .destroyed {
            generations[index].sealed = nil
            generations[index].restoration = nil
        }
    }

    /// Marks a generation as compromised: it never protects again, and what it ever protected has to be encrypted anew.
    ///
    /// The active one has to be followed by another before; marking one twice changes nothing.
    ///
    /// - Parameters:
    ///   - number: the generation.
    ///   - occurred: when it happened, as far as is known.
    ///   - moment: when that was found.
    ///   - reason: why it is believed.
    /// - Throws: ``KeyManagementError`` with `noSuchGeneration` or `transitionRefused`.
    public mutating func compromise(
        _ number: UInt32, occurred: Timestamp?, found moment: Timestamp, reason: String
    ) throws {
        if generation(number)?.state == .compromised { return }
        guard number != active?.number else {
            throw KeyManagementError(
                .transitionRefused, "generation \(number) is active; another has to be activated before")
        }
        try move(number, to: .compromised, at: moment, reason: reason)
        guard let index = generations.firstIndex(where: { $0.number == number }) else { return }
        generations[index].history[generations[index].history.count - 1].occurred = occurred
    }

    /// Makes a published generation the active one and deactivates the one before, in one step: at no instant
    /// are there two, or none.
    ///
    /// - Throws: ``KeyManagementError`` with `noSuchGeneration` or `transitionRefused`.
    public mutating func activate(_ number: UInt32, at moment: Timestamp, reason: String) throws {
        guard let next = generation(number) else {
            throw KeyManagementError(
                .noSuchGeneration, "group \(name) has no generation \(number); see: keyroll generation list")
        }
        guard next.state == .preActivation else {
            throw KeyManagementError(
                .transitionRefused, "generation \(number) is \(next.state.rawValue) and cannot become active")
        }
        guard number > highestActivated else {
            throw KeyManagementError(
                .transitionRefused,
                "generation \(highestActivated) \(active == nil ? "was" : "is") active and newer than \(number): the fence only rises"
            )
        }
        guard next.escrow != nil else {
            throw KeyManagementError(
                .transitionRefused,
                "generation \(number) is in no verified bundle yet; run: keyroll archive create \(number)")
        }
        guard next.sealed != nil else {
            throw KeyManagementError(
                .transitionRefused, "generation \(number) is known by name only; its key is not here")
        }
        guard next.destruction == nil else {
            throw KeyManagementError(.transitionRefused, "the destruction of generation \(number) was asked for")
        }
        if let active {
            try move(active.number, to: .deactivated, at: moment, reason: "generation \(number) activated: \(reason)")
        }
        try move(number, to: .active, at: moment, reason: reason)
    }
}
