import Cryptography
import Databases
import Envelopes
public import Files
import Synchronization

/// Opens a ring, keeps it, and changes it: the thin driver beside the pure ``Ring``.
public final class RingKeeper: Sendable {
    let repository: any KeyRepository
    let rootKeys: RootKeys
    private let present: Mutex<Keyring>
    private let repairs: Mutex<[String]>
    private let observer = Mutex<RingObserver?>(nil)
    /// What the root key provider needs to know again, as it stands in the authentic copy.
    let parameters: [UInt8]

    init(
        _ repository: any KeyRepository, _ rootKeys: RootKeys, _ keyring: Keyring, parameters: [UInt8],
        repairs: [String]
    ) {
        self.repository = repository
        self.rootKeys = rootKeys
        self.parameters = parameters
        present = Mutex(keyring)
        self.repairs = Mutex(repairs)
    }

    /// The ring as it was last read.
    public var keyring: Keyring { present.withLock { $0 } }

    /// Copies of the ring that were found damaged and written anew, a line each.
    public var repaired: [String] { repairs.withLock { $0 } }

    /// Makes a ring without generations.
    ///
    /// - Throws: ``KeyManagementError`` with `exists`.
    public static func create(
        in repository: any KeyRepository, name: String, policy: Policy, provider: any RootKeyProvider
    ) throws -> RingKeeper {
        let group = try Identity.random()
        let parameters = try provider.newParameters()
        let rootKeys = try RootKeys(provider.rootKey(parameters), group: group)
        let ring = Ring(group: group, name: name, policy: policy)
        try repository.commit(seal(ring, rootKeys, parameters), replacing: nil)
        return RingKeeper(
            repository, rootKeys, try Keyring(ring: ring, rootKeys: rootKeys), parameters: parameters, repairs: [])
    }

    /// Opens a ring, from its second copy where the first is damaged or lost, which is then written anew.
    ///
    /// - Parameters:
    ///   - repository: where the ring is kept.
    ///   - provider: where its root key comes from.
    ///   - takesOlder: open a ring of the older format as well, as an upgrade does; the first change brings it up.
    /// - Throws: ``KeyManagementError`` with `wrongRootKey`, `ringNotAuthentic`, `newerFormat`, `olderFormat` or
    ///   `rootKeyUnavailable`.
    public static func open(
        _ repository: any KeyRepository, provider: any RootKeyProvider, takesOlder: Bool = false
    ) throws -> RingKeeper {
        let copies = try repository.load()
        var firstFailure: (any Error)?
        var tried: Set<[UInt8]> = []
        for copy in copies {
            guard let stored = try? copy.content.get(), let group = Identity(stored.group),
                // The copies normally agree, and a passphrase is asked for once.
                tried.insert(stored.group + stored.rootKeyParameters).inserted
            else { continue }
            // The group and the parameters are believed only once the MAC over them was checked.
            do {
                let rootKeys = try RootKeys(provider.rootKey(stored.rootKeyParameters), group: group)
                let choice = try choose(
                    copies, rootKeys, repository, providerPlace: provider.place, takesOlder: takesOlder)
                return RingKeeper(
                    repository, rootKeys, choice.keyring, parameters: choice.parameters, repairs: choice.notes)
            } catch let error as KeyManagementError where error.code != .rootKeyUnavailable {
                // Parameters that somebody altered give no key, or another one; the other copy may have the right ones.
                firstFailure = firstFailure ?? error
            }
        }
        throw firstFailure ?? unreadable(copies)
    }

    /// Reads the repository again: another process may have rolled.
    @discardableResult
    public func reload() throws -> Keyring {
        // Only a keeper that was opened for an upgrade meets an older ring here.
        let choice = try Self.choose(
            repository.load(), rootKeys, repository, providerPlace: "the root key in use", takesOlder: true)
        repairs.withLock { $0 += choice.notes }
        present.withLock { $0 = choice.keyring }
        return choice.keyring
    }

    /// Changes the ring: reads it anew, lets `change` work on it, and stores it if nobody came in between.
    ///
    /// - Throws: ``KeyManagementError`` with `changedMeanwhile` after three tries; whatever `change` throws.
    public func update<R>(_ change: (inout Ring) throws -> R) throws -> R {
        var triesLeft = 3
        while true {
            var ring = try reload().ring
            let replaced = ring.sequence
            ring.sequence += 1
            ring.note(clock: .now)
            let before = keyring.ring
            let result = try change(&ring)
            let observer = observer.withLock { $0 }
            try observer?.changes(before, ring)
            do {
                try repository.commit(Self.seal(ring, rootKeys, parameters), replacing: replaced)
            } catch {
                observer?.failed(before, ring, error)
                guard (error as? KeyManagementError)?.code == .changedMeanwhile, triesLeft > 1 else { throw error }
                triesLeft -= 1
                continue
            }
            let keyring = try Keyring(ring: ring, rootKeys: rootKeys)
            present.withLock { $0 = keyring }
            return result
        }
    }

    /// Has every change of the ring told before it is stored, and again where it could not be stored.
    ///
    /// - Parameters:
    ///   - observer: called with the ring before and after; where it throws, nothing is changed.
    ///   - failed: called where what was told did not come to be.
    public func observe(
        _ observer: @escaping @Sendable (_ before: Ring, _ after: Ring) throws -> Void,
        failed: @escaping @Sendable (_ before: Ring, _ after: Ring, _ error: any Error) -> Void = { _, _, _ in }
    ) {
        self.observer.withLock { $0 = RingObserver(changes: observer, failed: failed) }
    }

    /// Publishes a new generation, reads it back from both copies, and probes it (wrap, unwrap).
    ///
    /// - Parameters:
    ///   - seen: the highest number that any store knows; the new one is above it.
    ///   - moment: now.
    ///   - reason: why.
    /// - Returns: its number.
    public func publish(above seen: UInt32, at moment: Timestamp, reason: String) throws -> UInt32 {
        let key = try Random.key()
        let identity = try Identity.random()
        let checkValue = try KeyCheckValue.of(key)
        let number = try update { ring in
            guard !ring.onlyReads else {
                throw KeyManagementError(
                    .transitionRefused, "this home was made to read an old copy for a time; it protects nothing")
            }
            let number = try ring.nextNumber(above: seen)
            let sealed = try GenerationSeal.seal(
                key, under: rootKeys, group: ring.group, number: number, identity: identity)
            ring.publish(
                number, identity: identity, checkValue: checkValue, sealed: sealed, at: moment, reason: reason)
            return number
        }
        try probe(number, expecting: key)
        return number
    }

    /// What was stored has to be the key that was made, and to work, before anything relies on it.
    private func probe(_ number: UInt32, expecting key: borrowing SecureBytes) throws {
        guard let stored = try reload().key(number) else {
            throw KeyManagementError(.probeFailed, "generation \(number) could not be read back; nothing was activated")
        }
        let sample = try Random.key()
        let wrapped = try sample.withUnsafeBytes { try KeyWrap.wrap($0, under: stored.bytes) }
        let same = try wrapped.withUnsafeBytes { input in
            let opened = try KeyWrap.unwrap(input, under: key)
            return sample.withUnsafeBytes { left in opened.withUnsafeBytes { equalInConstantTime(left, $0) } }
        }
        guard same else {
            throw KeyManagementError(.probeFailed, "generation \(number) did not pass its probe; nothing was activated")
        }
    }

    // MARK: Sealing and choosing

    static func seal(_ ring: Ring, _ keys: RootKeys, _ parameters: [UInt8]) throws -> StoredRing {
        var stored = StoredRing(
            sequence: ring.sequence, group: ring.group.bytes, rootKeyCheck: keys.checkValue,
            rootKeyParameters: parameters, document: ring.encoded(), mac: [])
        stored.mac = try mac(stored, keys)
        return stored
    }

    /// Over every column, so that none can be edited alone.
    private static func mac(_ stored: StoredRing, _ keys: RootKeys) throws -> [UInt8] {
        let covered = CBORValue.array([
            .text("keyroll/1 ring"), .unsigned(stored.sequence), .bytes(stored.group), .bytes(stored.rootKeyCheck),
            .bytes(stored.rootKeyParameters), .bytes(stored.document),
        ]).encoded()
        return try covered.withUnsafeBytes { try Authenticator(key: keys.ring).tag($0) }
    }

    private struct Choice {
        var keyring: Keyring
        var parameters: [UInt8]
        var notes: [String]
    }

    /// The newest authentic copy. Copies that are damaged, missing or older are written anew from it; if that fails the
    /// ring is used all the same, and a note says so.
    ///
    /// - Throws: for a copy that cannot be read for another reason (held by another program, not permitted, newer): it
    ///   may be the newest one.
    private static func choose(
        _ copies: [RingCopy], _ keys: RootKeys, _ repository: any KeyRepository, providerPlace: String, takesOlder: Bool
    ) throws -> Choice {
        var authentics: [(place: String, stored: StoredRing, keyring: Keyring)] = []
        var damaged: [(place: String, error: any Error)] = []
        for copy in copies {
            do {
                let stored = try copy.content.get()
                let keyring = try authentic(
                    stored, keys, place: copy.place, providerPlace: providerPlace, takesOlder: takesOlder)
                authentics.append((copy.place, stored, keyring))
            } catch {
                guard isDamage(error) else { throw error }
                damaged.append((copy.place, error))
            }
        }
        // Another process has just sealed the ring under another root key; it must not be taken for damage.
        if let newest = authentics.map(\.stored.sequence).max(),
            let other = damaged.first(where: { fault in
                (fault.error as? KeyManagementError)?.code == .wrongRootKey
                    && copies.contains { $0.place == fault.place && (try? $0.content.get())?.sequence ?? 0 > newest }
            })
        {
            throw other.error
        }
        guard let best = authentics.max(by: { $0.stored.sequence < $1.stored.sequence }) else {
            // A root key that does not fit says more than a copy that is missing.
            let telling = damaged.first { ($0.error as? KeyManagementError)?.code == .wrongRootKey } ?? damaged.first
            throw telling?.error ?? unreadable(copies)
        }
        // A crash between the two copies leaves the second one behind; a first one from a backup is behind, too.
        let behind = authentics.filter { $0.stored.sequence < best.stored.sequence }.map(\.place)
        var notes: [String] = []
        if !damaged.isEmpty || !behind.isEmpty {
            do {
                try repository.heal(with: best.stored, replacing: damaged.map(\.place) + behind) { stored in
                    (try? authentic(stored, keys, place: "", providerPlace: "", takesOlder: takesOlder)) != nil
                }
                notes = damaged.map { "\($0.place) was damaged or missing and was written anew from the other copy" }
            } catch {
                notes = damaged.map { "\($0.place) is damaged or missing and could not be written anew: \(error)" }
            }
        }
        return Choice(keyring: best.keyring, parameters: best.stored.rootKeyParameters, notes: notes)
    }

    /// Whether a copy is lost for good, so that another one may stand in.
    private static func isDamage(_ error: any Error) -> Bool {
        switch error {
        case let error as DatabaseFailure: error.code == .damaged || error.code == .missing
        // An altered check value looks like another root key; the other copy tells.
        case let error as KeyManagementError: error.code == .ringNotAuthentic || error.code == .wrongRootKey
        default: false
        }
    }

    private static func authentic(
        _ stored: StoredRing, _ keys: RootKeys, place: String, providerPlace: String, takesOlder: Bool
    ) throws -> Keyring {
        // Constant time is not needed: the check value tells nothing of the key.
        guard stored.rootKeyCheck == keys.checkValue else {
            throw KeyManagementError(
                .wrongRootKey, "\(providerPlace): this is not the root key of the key store \(place)")
        }
        let covered = try mac(stored, keys)
        let same = covered.withUnsafeBytes { left in stored.mac.withUnsafeBytes { equalInConstantTime(left, $0) } }
        guard same else {
            throw KeyManagementError(
                .ringNotAuthentic, "\(place): the ring was altered by somebody who has not the root key")
        }
        let ring = try Ring(decoding: stored.document, from: place, takesOlder: takesOlder)
        guard ring.sequence == stored.sequence, ring.group.bytes == stored.group else {
            throw KeyManagementError(.ringNotAuthentic, "\(place): the ring contradicts itself")
        }
        return try Keyring(ring: ring, rootKeys: keys)
    }

    private static func unreadable(_ copies: [RingCopy]) -> any Error {
        for copy in copies {
            if case .failure(let error) = copy.content { return error }
        }
        return KeyManagementError(.ringNotAuthentic, "the key store is empty")
    }
}

/// Who is told of changes.
private struct RingObserver: Sendable {
    var changes: @Sendable (_ before: Ring, _ after: Ring) throws -> Void
    var failed: @Sendable (_ before: Ring, _ after: Ring, _ error: any Error) -> Void
}
