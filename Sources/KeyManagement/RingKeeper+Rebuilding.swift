public import Cryptography
public import Files

/// A generation as bundles and stores tell of it, for a ring that is built anew.
public struct RebuiltGeneration: Sendable {
    /// Its number.
    public var number: UInt32
    /// Its identity.
    public var identity: Identity
    /// Its key check value.
    public var checkValue: [UInt8]
    /// All its states.
    public var history: [Generation.Transition]
    /// Its key, or nil where no bundle is at hand.
    public var key: RecipientEnvelope.SharedKey?
    /// The bundle it came from.
    public var escrow: Escrow?
    /// That it is on line for a time only; nil for good.
    public var restoration: Restoration?
    /// That its destruction was asked for.
    public var destruction: Destruction?

    /// Everything that is known of a generation.
    public init(
        number: UInt32, identity: Identity, checkValue: [UInt8], history: [Generation.Transition],
        key: RecipientEnvelope.SharedKey?, escrow: Escrow? = nil, restoration: Restoration? = nil,
        destruction: Destruction? = nil
    ) {
        self.number = number
        self.identity = identity
        self.checkValue = checkValue
        self.history = history
        self.key = key
        self.escrow = escrow
        self.restoration = restoration
        self.destruction = destruction
    }
}

/// Everything that a ring which is built anew takes over.
public struct RebuiltRing: Sendable {
    /// The group's identity.
    public var group: Identity
    /// Its name.
    public var name: String
    /// Its policy.
    public var policy: Policy
    /// In the order of their numbers; those without a key count as archived.
    public var generations: [RebuiltGeneration]
    /// Recipients by certificate.
    public var recipients: [Recipient] = []
    /// The archive key to go on with; nil for a new one.
    public var archiveKey: (key: RecipientEnvelope.SharedKey, identifier: [UInt8])?
    /// Whether somebody has just used that archive key from a file of his own.
    public var archiveKeyIsProven = false
    /// Signers whose bundles are still trusted.
    public var formerSigners: [Certificate] = []
    /// Registered copies.
    public var copies: [RegisteredCopy] = []
    /// Whether it is made to read an old copy for a time.
    public var onlyReads = false

    /// - Parameters:
    ///   - group: the group's identity.
    ///   - name: its name.
    ///   - policy: its policy.
    ///   - generations: in the order of their numbers.
    public init(group: Identity, name: String, policy: Policy, generations: [RebuiltGeneration]) {
        self.group = group
        self.name = name
        self.policy = policy
        self.generations = generations
    }
}

extension RingKeeper {
    /// Makes a ring from what bundles and stores tell, with a new signer, in one commit.
    ///
    /// - Parameters:
    ///   - repository: where it is to be kept; nothing may be there yet.
    ///   - rebuilt: what it takes over.
    ///   - provider: where the root key comes from.
    ///   - moment: now.
    /// - Throws: ``KeyManagementError`` with `exists` or `ringNotAuthentic`.
    public static func rebuild(
        in repository: any KeyRepository, _ rebuilt: RebuiltRing, provider: any RootKeyProvider, at moment: Timestamp
    ) throws -> RingKeeper {
        let parameters = try provider.newParameters()
        let rootKeys = try RootKeys(provider.rootKey(parameters), group: rebuilt.group)
        var ring = Ring(group: rebuilt.group, name: rebuilt.name, policy: rebuilt.policy)
        ring.sequence = 1 + (rebuilt.generations.flatMap { $0.history.map(\.sequence) }.max() ?? 0)
        ring.generations = try rebuilt.generations.map { try generation($0, rebuilt.group, rootKeys) }
        ring.highestNumber = rebuilt.generations.last?.number ?? 0
        ring.recipients = rebuilt.recipients
        ring.copies = rebuilt.copies
        ring.onlyReads = rebuilt.onlyReads
        try set(newSigner(name: rebuilt.name, at: moment), &ring, rootKeys)
        ring.formerSigners = rebuilt.formerSigners.map(\.der)
        if let signer = ring.signer {
            ring.epoch = hexadecimal(try signer.certificate.withUnsafeBytes { try sha256($0) }.prefix(4))
        }
        try addArchiveKey(rebuilt.archiveKey, &ring, rootKeys, at: moment, proven: rebuilt.archiveKeyIsProven)
        try repository.commit(seal(ring, rootKeys, parameters), replacing: nil)
        return RingKeeper(
            repository, rootKeys, try Keyring(ring: ring, rootKeys: rootKeys), parameters: parameters, repairs: [])
    }

    private static func generation(
        _ found: RebuiltGeneration, _ group: Identity, _ rootKeys: RootKeys
    ) throws -> Generation {
        var generation = Generation(
            number: found.number, identity: found.identity, checkValue: found.checkValue, history: found.history,
            isArchived: found.key == nil || found.restoration != nil, sealed: nil)
        generation.escrow = found.escrow
        generation.restoration = found.restoration
        generation.destruction = found.destruction
        if let key = found.key, generation.state != .destroyed {
            guard try KeyCheckValue.of(key.bytes) == found.checkValue else {
                throw KeyManagementError(
                    .ringNotAuthentic, "the key at hand is not the one of generation \(found.number)")
            }
            generation.sealed = try GenerationSeal.seal(
                key.bytes, under: rootKeys, group: group, number: found.number, identity: found.identity)
        }
        return generation
    }

    /// The newest ring of a repository that cannot be opened. Nothing in it is authentic: whoever uses it may believe
    /// what makes a generation worse, and nothing else.
    public static func unauthenticated(_ repository: any KeyRepository) -> Ring? {
        let rings = (try? repository.load())?.compactMap { copy -> Ring? in
            guard let stored = try? copy.content.get() else { return nil }
            return try? Ring(decoding: stored.document, from: copy.place, takesOlder: true)
        }
        return rings?.max { $0.sequence < $1.sequence }
    }

    /// A ring that is kept nowhere, under a root key that nobody has: to try whether keys from bundles open secrets.
    public static func scratch(group: Identity, generations: [RebuiltGeneration]) throws -> RingKeeper {
        try rebuild(
            in: MemoryKeyRepository(),
            RebuiltRing(group: group, name: "scratch", policy: .standard, generations: generations),
            provider: ScratchProvider(), at: .now)
    }
}

/// A root key for the one call that asks for it.
private struct ScratchProvider: RootKeyProvider {
    var place: String { "scratch root key" }
    func newParameters() -> [UInt8] { [] }
    func rootKey(_ parameters: [UInt8]) throws -> SecureBytes { try Random.key() }
}
