import Access
import BrokerWire
import Cryptography
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
/// Where a broker is found (``open(home:broker:passphrase:)``), it is asked for everything, and keys stay with it.
///
/// Safe to use from several threads, and beside a rotation in another process: a write that meets a newer fence reads
/// the ring again and is tried once more. Stores that were added to the home, or could be reached again, since it was
/// opened are seen once it is opened anew.
public final class KeyGroup: Sendable {
    private let way: Way

    /// How its secrets are reached.
    private enum Way: Sendable {
        case home(DirectGroup)
        case broker(BrokeredGroup)
    }

    /// - Parameter home: an open home.
    public init(_ home: Home) { way = .home(DirectGroup(home)) }

    /// - Parameter broker: the socket of a broker.
    public init(broker: String) { way = .broker(BrokeredGroup(broker)) }

    /// Opens a group: through a broker where one is found, else the home itself.
    ///
    /// - Parameters:
    ///   - path: the home's folder; nil for the usual one. Where a home is named, here or by `KEYROLL_HOME`, no broker
    ///     is looked for.
    ///   - broker: the broker's socket, or "none"; nil for `KEYROLL_BROKER`, or else the usual place if there is one.
    ///   - passphrase: asked for where the root key comes from one.
    /// - Throws: `HomeError`, `FileError`, `KeyManagementError`, `StoreError`, or `CryptographyError` with
    ///   `selfTestFailed`.
    public static func open(
        home path: String? = nil, broker: String? = nil, passphrase: @escaping Home.Ask = noPassphrase
    ) throws -> KeyGroup {
        try SelfTest.run()
        if let socket = BrokerAddress.find(option: broker, hasHome: path != nil) { return KeyGroup(broker: socket) }
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
    ///   store throws; `BrokerError`.
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
        switch way {
        case .home(let group): try group.put(name, plaintext, context: context, replacing: replacing, in: store)
        case .broker(let group): try group.put(name, plaintext, context: context, replacing: replacing, in: store)
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
    ///   be reached, `SecretCipher.Failure`, or what the store throws; `AccessError` with `refused`, `BrokerError`.
    public func get<R>(
        _ name: String, context: String? = nil, in store: String? = nil, use: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        switch way {
        case .home(let group): try group.get(name, context: context, in: store, use: use)
        case .broker(let group): try group.get(name, context: context, in: store, use: use)
        }
    }

    /// Deletes a secret, wherever it lies: while a store is being copied it may be in two.
    ///
    /// - Throws: `StoreError` with `noSuchSecret`, `HomeError` with `unreachable`, `AccessError`, `BrokerError`.
    public func remove(_ name: String) throws {
        switch way {
        case .home(let group): try group.remove(name)
        case .broker(let group): try group.remove(name)
        }
    }

    /// Gives a secret another name in its store: the name is authenticated, so the content is encrypted anew.
    ///
    /// - Throws: `StoreError` with `noSuchSecret` or `exists`, `HomeError` with `unreachable`, `SecretCipher.Failure`,
    ///   `AccessError`, `BrokerError`.
    public func rename(_ old: String, to new: String) throws {
        try SecretCipher.checkName(new)
        switch way {
        case .home(let group): try group.rename(old, to: new)
        case .broker(let group): try group.rename(old, to: new)
        }
    }
}
