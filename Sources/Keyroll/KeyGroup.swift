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
/// the ring again and is tried once more.
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
    /// - Throws: `StoreError` with `exists`, `notAccepted`, or what the store throws.
    public func put(
        _ name: String, _ plaintext: UnsafeRawBufferPointer, context: String? = nil, replacing: Bool = false
    ) throws {
        try SecretCipher.checkName(name)
        guard plaintext.count <= StoreLimits.plaintext else {
            throw StoreError(
                .notAccepted, "secret '\(name)' has \(plaintext.count) bytes; the most is \(StoreLimits.plaintext)")
        }
        guard context?.utf8.count ?? 0 <= StoreLimits.context else {
            throw StoreError(.notAccepted, "the context of '\(name)' has more than \(StoreLimits.context) bytes")
        }
        let tally = try withNewestRing {
            try SecretCipher.protect(
                plaintext, name: Array(name.utf8), context: context.map { Array($0.utf8) }, contentType: .bytes,
                keyring: home.keeper.keyring
            ) { pending, mark in
                try withUnsafePointer(to: pending) {
                    try home.store.write(UnsafeBufferPointer(start: $0, count: 1), under: mark) { _, _ in
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
    public func put(_ name: String, _ plaintext: [UInt8], context: String? = nil, replacing: Bool = false) throws {
        try plaintext.withUnsafeBytes { try put(name, $0, context: context, replacing: replacing) }
    }

    /// Unprotects a secret; the plaintext is wiped after `use`.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - context: where given, it has to be the one it was stored with.
    ///   - use: gets the plaintext.
    /// - Throws: `StoreError` with `noSuchSecret`, `SecretCipher.Failure`, or what the store throws.
    public func get<R>(_ name: String, context: String? = nil, use: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard let secret = try home.store.secret(named: Array(name.utf8)) else {
            throw StoreError(.noSuchSecret, "no secret is named '\(name)'")
        }
        if let context, secret.context != Array(context.utf8) {
            throw SecretCipher.Failure(reason: .integrityCheckFailed, name: name, generation: secret.generation)
        }
        return try SecretCipher.unprotect(secret, group: home.store.group, keys: KeySource(home.keeper)) {
            plaintext, _ in
            try use(plaintext)
        }
    }

    /// Deletes a secret.
    ///
    /// - Throws: `StoreError` with `noSuchSecret`.
    public func remove(_ name: String) throws {
        guard !home.keeper.keyring.ring.onlyReads else {
            throw KeyManagementError(
                .transitionRefused, "this home was made to read an old copy for a time; nothing in it is changed")
        }
        guard try home.store.remove(named: Array(name.utf8)) else {
            throw StoreError(.noSuchSecret, "no secret is named '\(name)'")
        }
    }

    /// Gives a secret another name: the name is authenticated, so the content is encrypted anew.
    ///
    /// - Throws: `StoreError` with `noSuchSecret` or `exists`, `SecretCipher.Failure`.
    public func rename(_ old: String, to new: String) throws {
        try SecretCipher.checkName(new)
        let keys = KeySource(home.keeper)
        try withNewestRing {
            let keyring = home.keeper.keyring
            let mark = GenerationMark(try keyring.active().generation)
            try home.store.rename(Array(old.utf8), to: Array(new.utf8), under: mark) { secret, store in
                try SecretCipher.unprotect(secret, group: home.store.group, keys: keys) { plaintext, contentType in
                    try SecretCipher.protect(
                        plaintext, name: Array(new.utf8), context: secret.context, contentType: contentType,
                        keyring: keyring
                    ) { pending, _ in try store(pending) }
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
