import Audit
import Cryptography
import Envelopes
import Home
import KeyManagement
import Protection
import SecretStores

/// A key group whose home this process has open. What it takes was checked by ``KeyGroup``.
final class DirectGroup: Sendable {
    private let home: Home

    private let log: AccessLog

    init(_ home: Home) {
        self.home = home
        log = AccessLog(home)
    }

    func put(
        _ name: String, _ plaintext: UnsafeRawBufferPointer, context: String?, replacing: Bool, in store: String?
    ) throws {
        try log.change(.protect, name) {
            try write(name, plaintext, context: context, replacing: replacing, in: store)
        }
    }

    private func write(
        _ name: String, _ plaintext: UnsafeRawBufferPointer, context: String?, replacing: Bool, in store: String?
    ) throws {
        let target = try home.target(for: name, in: store)
        let tally = try withNewestRing {
            try SecretCipher.protect(
                plaintext, name: Array(name.utf8), context: context.map { Array($0.utf8) }, contentType: .bytes,
                keyring: home.keeper.keyring
            ) { pending, mark in
                try withUnsafePointer(to: pending) {
                    try target.write(UnsafeBufferPointer(start: $0, count: 1), under: mark) { _, _ in
                        replacing ? .replace : .keep
                    }
                }
            }
        }
        guard tally.kept == 0 else {
            throw StoreError(.exists, "there is a secret named '\(name)' already; write over it with --replace")
        }
    }

    func get<R>(
        _ name: String, context: String?, in store: String?, use: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        try log.read(name) { note in
            let (store, secret) = try home.find(name, in: store)
            if let context, secret.context != Array(context.utf8) {
                throw SecretCipher.Failure(reason: .integrityCheckFailed, name: name, generation: secret.generation)
            }
            return try SecretCipher.unprotect(secret, group: store.group, keys: KeySource(home.keeper)) {
                plaintext, _ in
                try note()
                return try use(plaintext)
            }
        }
    }

    func remove(_ name: String) throws { try log.change(.remove, name) { try delete(name) } }

    private func delete(_ name: String) throws {
        guard !home.keeper.keyring.ring.onlyReads else {
            throw KeyManagementError(
                .transitionRefused, "this home was made to read an old copy for a time; nothing in it is changed")
        }
        var isRemoved = false
        for store in home.stores where try store.remove(named: Array(name.utf8)) { isRemoved = true }
        guard isRemoved else { throw home.absence(of: name, in: nil) }
    }

    func rename(_ old: String, to new: String) throws {
        try log.change(.rename, old, facts: [("newName", .text(new))]) { try move(old, to: new) }
    }

    private func move(_ old: String, to new: String) throws {
        // With one store its own transaction finds out both.
        guard home.configuration.stores.count > 1 else { return try rename(old, to: new, in: home.store) }
        let holders = try home.holders(of: old)
        guard !holders.isEmpty else { throw home.absence(of: old, in: nil) }
        if let taken = try home.holders(of: new).first {
            throw StoreError(
                .exists, "there is a secret named '\(new)' in store '\(taken.name)' already; remove it first")
        }
        guard home.unreachable.isEmpty else { throw home.absence(of: new, in: nil) }
        for holder in holders { try rename(old, to: new, in: holder.store) }
    }

    private func rename(_ old: String, to new: String, in store: any SecretStore) throws {
        let keys = KeySource(home.keeper)
        try withNewestRing {
            let keyring = home.keeper.keyring
            let mark = GenerationMark(try keyring.active().generation)
            try store.rename(Array(old.utf8), to: Array(new.utf8), under: mark) { secret, renewed in
                try SecretCipher.unprotect(secret, group: store.group, keys: keys) { plaintext, contentType in
                    try SecretCipher.protect(
                        plaintext, name: Array(new.utf8), context: secret.context, contentType: contentType,
                        keyring: keyring
                    ) { pending, _ in try renewed(pending) }
                }
            }
        }
    }

    /// Runs `body`, and again with the ring read anew where the fence turned out to stand higher: once, and for as long
    /// as others go on rolling meanwhile.
    private func withNewestRing<R>(_ body: () throws -> R) throws -> R {
        for attempt in 0..<Self.triesAtMost {
            let known = home.keeper.keyring.ring.active?.number
            do { return try body() } catch let error as StoreError {
                guard case .fenced = error.code else { throw error }
                try home.keeper.reload()
                // Another thread may have read it anew before this one could.
                guard attempt == 0 || home.keeper.keyring.ring.active?.number != known else { throw error }
            }
        }
        return try body()
    }

    private static let triesAtMost = 8
}
