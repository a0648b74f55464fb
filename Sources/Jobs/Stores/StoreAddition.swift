import Custody
import Audit
import Evidence
public import Home
import KeyManagement
import SecretStores

/// Makes a store one of a home's: a new one, or one of the same group that is there already.
public struct StoreAddition {
    /// What was done.
    public struct Outcome: Sendable {
        /// Whether it was made; else it was there.
        public var isNew: Bool
        /// Where it is.
        public var place: String
        /// The secrets in it.
        public var secrets: Int64
    }

    private let home: Home

    /// - Parameter home: the home.
    public init(_ home: Home) { self.home = home }

    /// Makes or opens the store, raises its fence to the active generation, and writes it into `keyroll.yaml`.
    ///
    /// Where that is cut off, doing it again joins what was made.
    ///
    /// - Throws: `OwnerLock.Busy`, `CustodyError` with `exists`, `usage` or `refused`, or what the store throws.
    public func add(_ entry: HomeConfiguration.Store) throws -> Outcome {
        let lock = try home.lock(for: "keyroll store add")
        defer { withExtendedLifetime(lock) {} }
        let mark = try StoreEntry.active(home)
        try StoreEntry.check(entry, home)
        let present = try StoreEntry.present(entry, home)
        if let present, try present.marks().fence == 0, try present.census().total > 0 {
            throw StoreError(
                .notAccepted,
                "\(present.place): is a copy that was cut off; finish it with keyroll store copy, or remove it")
        }
        let store = try present ?? StoreKinds.create(entry, home.layout, group: home.keeper.keyring.ring.group)
        try store.raiseFence(to: mark)
        let secrets = try store.census().total
        try HomeConfiguration.change(home.layout) { $0.stores.append(entry) }
        let job = try JobIdentity.new("store-add")
        try EvidenceChain(path: home.layout.evidence).append(
            "store", job: job,
            [
                "action": .text(present == nil ? "made and added" : "added"), "store": .text(entry.name),
                "kind": .text(entry.kind.label), "place": .text(store.place), "secrets": .number(secrets),
            ])
        // Other hosts of the group know from this which home it is that knows all its stores.
        try? home.noteEvidence()
        try home.logJob("store-add", job, facts: [("store", .text(entry.name)), ("place", .text(store.place))])
        return Outcome(isNew: present == nil, place: store.place, secrets: secrets)
    }
}
