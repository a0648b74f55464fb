import Cryptography
public import KeyManagement
public import SecretStores
import Synchronization

/// Finds the key that a slot names, for all workers of a run.
///
/// A number that the ring does not have may mean that another process has just published it: the repository is read
/// once more in a run, and only then is the key absent.
public final class KeySource: Sendable {
    private let keeper: RingKeeper
    private let hasReread = Mutex(false)

    /// What there is under a number.
    public enum Answer {
        /// The key, in a state that unprotects.
        case usable(Keyring.Key)
        /// Why it cannot be used.
        case refused(FailureReason)
    }

    /// - Parameter keeper: the ring.
    public init(_ keeper: RingKeeper) { self.keeper = keeper }

    /// Looks a generation up.
    ///
    /// - Throws: what reading the repository again throws: a key that cannot be reached is not the secret's fault.
    public func key(_ number: UInt32) throws -> Answer {
        if let answer = answer(number, keeper.keyring) { return answer }
        let shouldReread = hasReread.withLock { done in
            defer { done = true }
            return !done
        }
        if shouldReread { try keeper.reload() }
        return answer(number, keeper.keyring) ?? .refused(.keyAbsent)
    }

    private func answer(_ number: UInt32, _ keyring: Keyring) -> Answer? {
        guard let generation = keyring.ring.generation(number) else { return nil }
        guard generation.state != .destroyed, !generation.isArchived else { return .refused(.keyAbsent) }
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
        if let known = entries[number] {
            entry = known
        } else {
            switch try source.key(number) {
            case .usable(let key): entry = .usable(try BlockCipher(key: key.bytes, .decrypt))
            case .refused(let reason): entry = .refused(reason)
            }
            // A damaged store may name any number: what is remembered stays small.
            if entries.count < 4096 { entries[number] = entry }
        }
        lastNumber = number
        lastEntry = entry
        return entry
    }
}
