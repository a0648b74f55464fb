import Cryptography
import Custody
import Audit
import Evidence
import Files
public import Home
public import KeyManagement
import Protection
import Rotation
import SecretStores

/// Takes a store out of a home's configuration, once everything in it is in the other stores. The store itself stays as
/// it is, and is registered as a copy: what it needs is not destroyed as long as somebody may come back to it.
public struct StoreRemoval {
    private let home: Home

    /// - Parameter home: the home.
    public init(_ home: Home) { self.home = home }

    /// What a comparison found: secrets that only this store has as they are here.
    private struct Lack {
        var scanned = 0
        var count = 0
        var example = ""

        mutating func note(_ name: String) {
            if count == 0 { example = name }
            count += 1
        }
    }

    /// Compares, takes it out, and compares once more: what an application wrote in between puts it back.
    ///
    /// - Parameters:
    ///   - name: the store's name.
    ///   - keepsExtra: whether what the copy behind it has and it has not any more may stay there: it would come back.
    /// - Returns: what was registered; nil for an empty store.
    /// - Throws: `OwnerLock.Busy`, `CustodyError` with `refused`, `HomeError` with `unreachable` or `noSuchStore`.
    public func remove(_ name: String, keepsExtra: Bool = false) throws -> RegisteredCopy? {
        let lock = try home.lock(for: "keyroll store remove")
        defer { withExtendedLifetime(lock) {} }
        let store = try home.store(named: name)
        let others = home.namedStores.filter { $0.name != name && !StoreKinds.isSame($0.store, store) }.map(\.store)
        guard home.configuration.stores.count > 1 else {
            throw CustodyError(.refused, "'\(name)' is the only store of this home; it stays")
        }
        let before = try lack(store, others)
        guard before.count == 0 else {
            throw CustodyError(
                .refused,
                "\(before.count) of \(before.scanned) secrets of store '\(name)' are in no other store as they are here, such as '\(before.example)'; run: keyroll store copy \(name) TARGET"
            )
        }
        if !keepsExtra { try refuseExtra(store, name, before.scanned) }
        let copy = try register(store)
        var index = 0
        try HomeConfiguration.change(home.layout) { configuration in
            guard let found = configuration.stores.firstIndex(where: { $0.name == name }) else { return }
            index = found
            configuration.stores.remove(at: found)
        }
        let after = try lack(store, others)
        guard after.count == 0 else {
            guard let entry = home.configuration.store(named: name) else { return copy }
            try HomeConfiguration.change(home.layout) { $0.stores.insert(entry, at: min(index, $0.stores.count)) }
            if let copy { try home.keeper.update { try $0.forget(copy.identity) } }
            throw CustodyError(
                .refused,
                "an application wrote to store '\(name)' meanwhile (\(after.count) secrets, such as '\(after.example)'); it stays in keyroll.yaml: stop what writes, copy again and run it again"
            )
        }
        let job = try JobIdentity.new("store-remove")
        try EvidenceChain(path: home.layout.evidence).append(
            "store", job: job,
            [
                "action": .text("removed"), "store": .text(name), "place": .text(store.place),
                "secrets": .number(Int64(after.scanned)),
                "copy": .text(copy?.identity.description ?? "none"),
            ])
        // Other hosts of the group know from this which home it is that knows all its stores.
        try? home.noteEvidence()
        try home.logJob("store-remove", job, facts: [("store", .text(name)), ("place", .text(store.place))])
        return copy
    }

    /// Secrets that an application deleted or renamed in the store, and not in the copy that follows it, would come back.
    private func refuseExtra(_ store: any SecretStore, _ name: String, _ scanned: Int) throws {
        guard scanned > 0, let index = home.namedStores.firstIndex(where: { $0.name == name }),
            index + 1 < home.namedStores.count
        else { return }
        let copy = home.namedStores[index + 1]
        let extra = try CopyRun(store, to: copy.store, control: RunControl()).strays(atMost: 1)
        guard extra.count > 0 else { return }
        throw CustodyError(
            .refused,
            "\(extra.count) secrets of store '\(copy.name)' are not in '\(name)', such as '\(extra.names[0])': deleted or renamed there after the copy, or written to '\(copy.name)' alone; remove them (keyroll rm), or keep them with --keep-extra"
        )
    }

    private func register(_ store: any SecretStore) throws -> RegisteredCopy? {
        let census = try store.recount()
        guard census.total > 0 else { return nil }
        let copy = RegisteredCopy(
            identity: try Identity.random(), kind: "store", place: store.place, at: .now, keepUntil: nil,
            secrets: census.counts, hasRootKey: false, keys: [])
        try home.keeper.update { $0.register(copy) }
        return copy
    }

    /// Secrets that no other store has in the same version, under a slot that is the same or opens.
    private func lack(_ store: any SecretStore, _ others: [any SecretStore]) throws -> Lack {
        let reader = try store.contentReader()
        let opener = try SecretCipher.Opener(group: store.group, keys: KeySource(home.keeper))
        let batch = ContentBatch()
        var lack = Lack()
        while true {
            batch.reset()
            guard try reader.read(into: batch) else { return lack }
            lack.scanned += batch.records.count + batch.failures.count
            for failure in batch.failures {
                lack.note("key page \(failure.place.page), slot \(failure.place.slot)")
            }
            for record in batch.records {
                let name = Array(batch.bytes(record.name))
                // The first one that has the name is the one that counts from now on.
                var present: StoredSecret?
                for other in others where present == nil { present = try other.secret(named: name) }
                guard let present, CopyRun.isSameVersion(present, record, batch),
                    CopyRun.isSame(present, record, batch) || opens(present, opener)
                else {
                    lack.note(String(decoding: name, as: UTF8.self))
                    continue
                }
            }
        }
    }

    private func opens(_ secret: StoredSecret, _ opener: SecretCipher.Opener) -> Bool {
        (try? opener.unprotect(secret) { _, _ in true }) ?? false
    }
}
