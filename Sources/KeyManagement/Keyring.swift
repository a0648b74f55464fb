public import Cryptography

/// A ring whose authenticity was checked, with the keys of the generations that are on line.
///
/// The keys lie in locked memory and go with the object.
public final class Keyring: Sendable {
    /// A generation's key.
    public final class Key: Sendable {
        /// 32 bytes. Whoever reads them says so by calling `withUnsafeBytes`, which `grep` finds.
        public let bytes: SecureBytes
        init(_ bytes: consuming SecureBytes) { self.bytes = bytes }

        /// A key that is stored nowhere: for a dry run, which throws away what it wraps.
        public static func scratch() throws -> Key { Key(try Random.key()) }
    }

    /// What is authentic.
    public let ring: Ring
    private let keys: [UInt32: Key]
    private let rootKeys: RootKeys
    /// Numbers of the generations that are on line for a time only.
    private let restored: Set<UInt32>

    init(ring: Ring, rootKeys: RootKeys) throws {
        self.ring = ring
        self.rootKeys = rootKeys
        restored = Set(ring.generations.filter { $0.restoration != nil }.map(\.number))
        var keys: [UInt32: Key] = [:]
        for generation in ring.generations {
            guard let sealed = generation.sealed, generation.destruction == nil else { continue }
            let key: SecureBytes
            do {
                key = try GenerationSeal.open(
                    sealed, under: rootKeys, group: ring.group, number: generation.number, identity: generation.identity
                )
            } catch CryptographyError.integrity {
                throw KeyManagementError(
                    .ringNotAuthentic,
                    "generation \(generation.number) of group \(ring.name) was altered in the key store")
            }
            guard try KeyCheckValue.of(key) == generation.checkValue else {
                throw KeyManagementError(
                    .ringNotAuthentic, "generation \(generation.number) of group \(ring.name) is not the key it was")
            }
            keys[generation.number] = Key(key)
        }
        self.keys = keys
    }

    /// The key of a generation that is on line, whatever its state allows.
    ///
    /// Whether a restored one is still to be on line is asked at every use.
    public func key(_ number: UInt32) -> Key? {
        if isRestored(number), ring.generation(number)?.restoration?.isOver() != false { return nil }
        return keys[number]
    }

    /// Whether a generation is on line for a time only, so that its key must not be kept.
    public func isRestored(_ number: UInt32) -> Bool { !restored.isEmpty && restored.contains(number) }

    /// The generation that protects.
    ///
    /// - Throws: ``KeyManagementError`` with `noActiveGeneration`.
    public func active() throws -> (generation: Generation, key: Key) {
        guard let generation = ring.active, let key = keys[generation.number] else {
            guard !ring.onlyReads else {
                throw KeyManagementError(
                    .transitionRefused, "this home was made to read an old copy for a time; it protects nothing")
            }
            throw KeyManagementError(
                .noActiveGeneration, "group \(ring.name) has no active generation; run: keyroll rotate --force")
        }
        return (generation, key)
    }

    /// An authenticator for journals, under a key of its own.
    public func journalAuthenticator() throws -> Authenticator { try Authenticator(key: rootKeys.journal) }
}

extension CryptographyError {
    /// For patterns: the code alone counts.
    static var integrity: CryptographyError { CryptographyError(.integrityCheckFailed) }
    static func ~= (pattern: CryptographyError, error: any Error) -> Bool {
        (error as? CryptographyError) == pattern
    }
}
