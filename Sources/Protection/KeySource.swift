import Cryptography
public import KeyManagement
public import SecretStores
import Synchronization

/// Finds the key that a slot names, for all workers of a run.
///
/// A number that the ring does not have, or has in a state that does not unprotect, may mean that another process has
/// just published or activated it: the repository is read once more for that number, and only then is the key refused.
public final class KeySource: Sendable {
    private let keeper: RingKeeper
    private let reread = Mutex<Set<UInt32>>([])
    /// A damaged store may name any number: so many of them are worth another look at the repository.
    private static let rereadsAtMost = 1024

    /// What there is under a number.
    public enum Answer {
        /// The key, in a state that unprotects.
        case usable(Keyring.Key)
        /// Why it cannot be used.
        case refused(FailureReason)
    }

    /// - Parameter keeper: the ring.
    public init(_ keeper: RingKeeper) { self.keeper = keeper }

    /// Whether a generation is on line for a time only, so that its key has to be asked for at every use.
    func isRestored(_ number: UInt32) -> Bool { keeper.keyring.isRestored(number) }

    /// Looks a generation up.
    ///
    /// - Throws: what reading the repository again throws: a key that cannot be reached is not the secret's fault.
    public func key(_ number: UInt32) throws -> Answer {
        if case .usable(let key)? = answer(number, keeper.keyring) { return .usable(key) }
        let shouldReread = reread.withLock { $0.count < Self.rereadsAtMost && $0.insert(number).inserted }
        if shouldReread { try keeper.reload() }
        return answer(number, keeper.keyring) ?? .refused(.keyAbsent)
    }

    private func answer(_ number: UInt32, _ keyring: Keyring) -> Answer? {
        guard let generation = keyring.ring.generation(number) else { return nil }
        guard generation.state != .destroyed, !generation.isArchived || generation.restoration != nil else {
            return .refused(.keyAbsent)
        }
        guard generation.state.mayUnprotect else { return .refused(.keyNotPermitted) }
        return keyring.key(number).map { .usable($0) } ?? .refused(.keyAbsent)
    }
}

/// One worker's view of the keys: contexts of OpenSSL, made once for each generation.
final class UnwrappingKeys {
    enum Entry {
        case usable(BlockCipher)
        case refused(FailureReason)
    }

    private let source: KeySource
    private var entries: [UInt32: Entry] = [:]
    private var lastNumber: UInt32 = 0
    private var lastEntry: Entry = .refused(.keyAbsent)

    init(_ source: KeySource) { self.source = source }

    func entry(_ number: UInt32) throws -> Entry {
        if number == lastNumber { return lastEntry }
        let entry: Entry
        let isRestored = source.isRestored(number)
        if let known = entries[number], !isRestored {
            entry = known
        } else {
            switch try source.key(number) {
            case .usable(let key): entry = .usable(try BlockCipher(key: key.bytes, .decrypt))
            case .refused(let reason): entry = .refused(reason)
            }
            // A damaged store may name any number: what is remembered stays small.
            if entries.count < 4096 { entries[number] = entry }
        }
        // A restored generation's time may end at any moment.
        lastNumber = isRestored ? 0 : number
        lastEntry = isRestored ? .refused(.keyAbsent) : entry
        return entry
    }
}
