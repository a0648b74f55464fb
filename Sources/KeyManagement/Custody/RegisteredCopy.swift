public import Cryptography
public import Files

/// A copy of a home or of a store that lies elsewhere, and what it still needs.
public struct RegisteredCopy: Sendable, Equatable {
    /// Its identity.
    public var identity: Identity
    /// What it is: "home", "store" or "snapshot".
    public var kind: String
    /// Where it lies, or what it is called there.
    public var place: String
    /// The moment whose state it holds.
    public var at: Timestamp
    /// Until when it is kept; nil for ever.
    public var keepUntil: Timestamp?
    /// The generations whose secrets it holds, with how many; nil where that is not known and all of them may be.
    public var secrets: [UInt32: Int64]?
    /// Whether the root key lies in it as well, so that its generations open without anything else.
    public var hasRootKey: Bool
    /// The generations whose sealed keys lie in it.
    public var keys: [UInt32]
    /// The generations whose bundles lie in it.
    public var bundles: [UInt32]

    /// Everything that is known of a copy.
    public init(
        identity: Identity, kind: String, place: String, at: Timestamp, keepUntil: Timestamp?,
        secrets: [UInt32: Int64]?, hasRootKey: Bool, keys: [UInt32], bundles: [UInt32] = []
    ) {
        self.identity = identity
        self.kind = kind
        self.place = place
        self.at = at
        self.keepUntil = keepUntil
        self.secrets = secrets
        self.hasRootKey = hasRootKey
        self.keys = keys
        self.bundles = bundles
    }

    /// Whether it may hold secrets of a generation and is still kept.
    ///
    /// A copy whose contents are not known may need every generation.
    public func needs(_ number: UInt32, at now: Timestamp) -> Bool {
        guard keepUntil.map({ $0 > now }) ?? true else { return false }
        guard let secrets else { return true }
        return secrets[number, default: 0] > 0
    }
}
