import Cryptography
import Envelopes
import Files
public import Home
import KeyManagement
import Protection
import SecretStores

/// A key group, as an application uses it: secrets go in and come out, keys stay inside.
///
/// ```swift
/// let group = try KeyGroup.open(home: "/var/lib/keyroll")
/// try group.put("mail/alice", Array("hunter2".utf8))
/// try group.get("mail/alice") { plaintext in login(plaintext) }
/// ```
///
/// Safe to use from several threads, and beside a rotation in another process: a write that meets a newer fence reads
/// the ring again and is tried once more. Stores that were added to the home, or could be reached again, since it was
/// opened are seen once it is opened anew.
public final class KeyGroup: Sendable {
    private let home: Home

    /// - Parameter home: an open home.
    public init(_ home: Home) { self.home = home }

    /// Opens a home.
    ///
    /// - Parameters:
    ///   - path: the home's folder; nil for the usual one.
    ///   - passphrase: asked for where the root key comes from one.
    /// - Throws: `HomeError`, `FileError`, `KeyManagementError`, `StoreError`, or `CryptographyError` with
    ///   `selfTestFailed`.
    public static func open(home path: String? = nil, passphrase: @escaping Home.Ask = noPassphrase) throws -> KeyGroup
    {
        try SelfTest.run()
        return KeyGroup(try Home.open(HomeLayout.locate(option: path), ask: passphrase))
    }

    /// For homes whose root key is in a file.
    public static let noPassphrase: Home.Ask = {
        throw KeyManagementError(
            .rootKeyUnavailable, "this home's root key comes from a passphrase, and none was given")
    }

    /// Stores a secret durably, under a new data key.
    ///
    /// - Parameters:
    ///   - name: UTF-8, 1 to 1,024 bytes.
    ///   - plaintext: 0 bytes to 64 MiB; wiping it afterwards is the caller's duty.
    ///   - context: up to 64 KiB that is authenticated and stored in clear.
    ///   - replacing: write over a secret of that name.
    ///   - store: the store's name; nil for the one that has the secret, or else the first.
    /// - Throws: `StoreError` with `exists`, `notAccepted`, `HomeError` with `noSuchStore` or `unreachable`, or what the
    ///   store throws.
    public func put(
        _ name: String, _ plaintext: UnsafeRawBufferPointer, context: String? = nil, replacing: Bool = false,
        in store: String? = nil
    ) throws {
        try SecretCipher.checkName(name)
        guard plaintext.count <= StoreLimits.plaintext else {
            throw StoreError(
                .notAccepted, "secret '\(name)' has \(plaintext.count) bytes; the most is \(StoreLimits.plaintext)")
        }
        guard context?.utf8.count ?? 0 <= StoreLimits.context else {
            throw StoreError(.notAccepted, "the context of '\(name)' has more than \(StoreLimits.context) bytes")
        }
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

    /// The same for an array.
    public func put(
        _ name: String, _ plaintext: [UInt8], context: String? = nil, replacing: Bool = false, in store: String? = nil
    ) throws {
        try plaintext.withUnsafeBytes { try put(name, $0, context: context, replacing: replacing, in: store) }
    }

    /// Unprotects a secret; the plaintext is wiped after `use`.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - context: where given, it has to be the one it was stored with.
    ///   - store: the only store to look in; nil for all, in the configuration's order.
    ///   - use: gets the plaintext.
    /// - Throws: `StoreError` with `noSuchSecret`, `HomeError` with `unreachable` where it may be in a store that cannot
    ///   be reached, `SecretCipher.Failure`, or what the store throws.
    public func get<R>(
        _ name: String, context: String? = nil, in store: String? = nil, use: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        let (store, secret) = try home.find(name, in: store)
        if let context, secret.context != Array(context.utf8) {
            throw SecretCipher.Failure(reason: .integrityCheckFailed, name: name, generation: secret.generation)
        }
        return try SecretCipher.unprotect(secret, group: store.group, keys: KeySource(home.keeper)) {
            plaintext, _ in
            try use(plaintext)
        }
    }

    /// Deletes a secret, wherever it lies: while a store is being copied it may be in two.
    ///
    /// - Throws: `StoreError` with `noSuchSecret`, `HomeError` with `unreachable`.
    public func remove(_ name: String) throws {
        guard !home.keeper.keyring.ring.onlyReads else {
            throw KeyManagementError(
                .transitionRefused, "this home was made to read an old copy for a time; nothing in it is changed")
        }
        var isRemoved = false
        for store in home.stores where try store.remove(named: Array(name.utf8)) { isRemoved = true }
        guard isRemoved else { throw home.absence(of: name, in: nil) }
    }

    /// Gives a secret another name in its store: the name is authenticated, so the content is encrypted anew.
    ///
    /// - Throws: `StoreError` with `noSuchSecret` or `exists`, `HomeError` with `unreachable`, `SecretCipher.Failure`.
    public func rename(_ old: String, to new: String) throws {
        try SecretCipher.checkName(new)
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

    /// Runs `body`, and once more with the ring read anew where the fence turned out to stand higher.
    private func withNewestRing<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as StoreError {
            guard case .fenced = error.code else { throw error }
            try home.keeper.reload()
            return try body()
        }
    }
}
