import Synchronization

/// Keeps a ring in memory: one that is only tried, or that goes elsewhere once all around it is made.
public final class MemoryKeyRepository: KeyRepository {
    private let stored = Mutex<StoredRing?>(nil)

    /// Nothing yet.
    public init() {}

    /// A name for messages.
    public var place: String { "scratch ring" }

    /// The ring as it stands, sealed.
    public var ring: StoredRing? { stored.withLock { $0 } }

    /// The one copy.
    public func load() throws -> [RingCopy] {
        guard let ring else { return [] }
        return [RingCopy(place: place, content: .success(ring))]
    }

    /// Takes the place of the present one.
    public func commit(_ ring: StoredRing, replacing replaced: UInt64?) throws {
        try stored.withLock { present in
            guard present?.sequence == replaced else {
                throw KeyManagementError(
                    replaced == nil ? .exists : .changedMeanwhile, "\(place): another one changed the ring")
            }
            present = ring
        }
    }

    /// There is nothing to mend.
    public func heal(with ring: StoredRing, replacing places: [String], isAuthentic: (StoredRing) -> Bool) throws {}
}
