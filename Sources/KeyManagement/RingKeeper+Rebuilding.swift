public import Cryptography
import Files
import Synchronization

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

    /// Everything that is known of a generation.
    public init(
        number: UInt32, identity: Identity, checkValue: [UInt8], history: [Generation.Transition],
        key: RecipientEnvelope.SharedKey?, escrow: Escrow?, restoration: Restoration? = nil
    ) {
        self.number = number
        self.identity = identity
        self.checkValue = checkValue
        self.history = history
        self.key = key
        self.escrow = escrow
        self.restoration = restoration
    }
}

extension RingKeeper {
    /// Makes a ring from what bundles and stores tell.
    ///
    /// - Parameters:
    ///   - repository: where it is to be kept; nothing may be there yet.
    ///   - group: the group's identity.
    ///   - name: its name.
    ///   - policy: its policy.
    ///   - generations: in the order of their numbers; those without a key count as archived.
    ///   - provider: where the root key comes from.
    /// - Throws: ``KeyManagementError`` with `exists` or `ringNotAuthentic`.
    public static func rebuild(
        in repository: any KeyRepository, group: Identity, name: String, policy: Policy,
        generations: [RebuiltGeneration], provider: any RootKeyProvider
    ) throws -> RingKeeper {
        let parameters = try provider.newParameters()
        let rootKeys = try RootKeys(provider.rootKey(parameters), group: group)
        var ring = Ring(group: group, name: name, policy: policy)
        ring.sequence = 1 + (generations.flatMap { $0.history.map(\.sequence) }.max() ?? 0)
        for found in generations {
            var generation = Generation(
                number: found.number, identity: found.identity, checkValue: found.checkValue, history: found.history,
                isArchived: found.key == nil || found.restoration != nil, sealed: nil)
            generation.escrow = found.escrow
            generation.restoration = found.restoration
            if let key = found.key, generation.state != .destroyed {
                guard try KeyCheckValue.of(key.bytes) == found.checkValue else {
                    throw KeyManagementError(
                        .ringNotAuthentic, "the key at hand is not the one of generation \(found.number)")
                }
                generation.sealed = try GenerationSeal.seal(
                    key.bytes, under: rootKeys, group: group, number: found.number, identity: found.identity)
            }
            ring.generations.append(generation)
        }
        ring.highestNumber = generations.last?.number ?? 0
        try repository.commit(seal(ring, rootKeys, parameters), replacing: nil)
        return RingKeeper(
            repository, rootKeys, try Keyring(ring: ring, rootKeys: rootKeys), parameters: parameters, repairs: [])
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
            in: ScratchRepository(), group: group, name: "scratch", policy: .standard, generations: generations,
            provider: ScratchProvider())
    }
}

/// Keeps a ring in memory.
private final class ScratchRepository: KeyRepository {
    private let stored = Mutex<StoredRing?>(nil)

    var place: String { "scratch ring" }

    func load() throws -> [RingCopy] {
        guard let ring = stored.withLock({ $0 }) else { return [] }
        return [RingCopy(place: place, content: .success(ring))]
    }

    func commit(_ ring: StoredRing, replacing replaced: UInt64?) throws { stored.withLock { $0 = ring } }

    func heal(with ring: StoredRing, replacing places: [String], isAuthentic: (StoredRing) -> Bool) throws {}
}

/// A root key for the one call that asks for it.
private struct ScratchProvider: RootKeyProvider {
    var place: String { "scratch root key" }
    func newParameters() -> [UInt8] { [] }
    func rootKey(_ parameters: [UInt8]) throws -> SecureBytes { try Random.key() }
}
