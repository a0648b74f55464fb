/// A ring as a repository keeps it: sealed, authenticated, and unreadable without the root key.
public struct StoredRing: Sendable, Equatable {
    /// Counts the changes; a commit names the one it replaces.
    public var sequence: UInt64
    /// The group's identity, 16 bytes, in clear: it is needed before the root key can be checked.
    public var group: [UInt8]
    /// Tells whether a root key is this ring's, 16 bytes.
    public var rootKeyCheck: [UInt8]
    /// What the root key provider needs to know again (a salt, a cost), CBOR.
    public var rootKeyParameters: [UInt8]
    /// The ring, deterministic CBOR.
    public var document: [UInt8]
    /// HMAC-SHA-256 over everything else.
    public var mac: [UInt8]

    /// - Parameters:
    ///   - sequence: counts the changes.
    ///   - group: the group's identity.
    ///   - rootKeyCheck: tells whether a root key is this ring's.
    ///   - rootKeyParameters: what the root key provider needs to know again.
    ///   - document: the ring.
    ///   - mac: over everything else.
    public init(
        sequence: UInt64, group: [UInt8], rootKeyCheck: [UInt8], rootKeyParameters: [UInt8], document: [UInt8],
        mac: [UInt8]
    ) {
        self.sequence = sequence
        self.group = group
        self.rootKeyCheck = rootKeyCheck
        self.rootKeyParameters = rootKeyParameters
        self.document = document
        self.mac = mac
    }
}

/// Where a ring is kept.
///
/// A new kind is a folder or a file beside the others and a line where kinds are listed.
public protocol KeyRepository: Sendable {
    /// A name for messages: a path, a server.
    var place: String { get }

    /// The copies there are, the preferred one first. A copy that cannot be read is an error in its place.
    ///
    /// - Throws: where none can even be looked at, as on a missing file or a lost server.
    func load() throws -> [RingCopy]

    /// Stores a ring durably in every copy, if the present one still has the sequence number `replaced`.
    ///
    /// - Parameters:
    ///   - ring: the new ring.
    ///   - replaced: the sequence number it follows, nil for a new repository.
    /// - Throws: ``KeyManagementError`` with `changedMeanwhile` or `exists`.
    func commit(_ ring: StoredRing, replacing replaced: UInt64?) throws

    /// Writes `ring`, which was found authentic, in the place of copies that are damaged, missing or older. Damaged ones
    /// are kept aside. A copy that turns out to be authentic and as new is left alone: another process may have mended
    /// it, or gone further, meanwhile.
    ///
    /// - Parameters:
    ///   - ring: the newest authentic ring.
    ///   - places: the copies to replace, as ``RingCopy/place`` names them.
    ///   - isAuthentic: checks a copy's MAC.
    func heal(with ring: StoredRing, replacing places: [String], isAuthentic: (StoredRing) -> Bool) throws
}

/// One copy of a ring.
public struct RingCopy: Sendable {
    /// Where it lies.
    public let place: String
    /// What was read, or why nothing could be.
    public let content: Result<StoredRing, any Error>

    /// - Parameters:
    ///   - place: where it lies.
    ///   - content: what was read, or why nothing could be.
    public init(place: String, content: Result<StoredRing, any Error>) {
        self.place = place
        self.content = content
    }
}
