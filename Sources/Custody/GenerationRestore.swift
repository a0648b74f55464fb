public import Archives
public import Cryptography
import Evidence
public import Files
public import Home
public import KeyManagement
import SecretStores

/// Puts an archived generation on line again, to unprotect only, for a stated time and reason.
public struct GenerationRestore {
    /// The longest time that a generation may be restored for: a year.
    public static let longest: Int64 = 366 * 86400

    private let home: Home
    private let job: String

    /// - Parameters:
    ///   - home: the home.
    ///   - job: the job's identity, for the evidence.
    public init(_ home: Home, job: String) {
        self.home = home
        self.job = job
    }

    /// Restores from a bundle.
    ///
    /// - Parameters:
    ///   - path: the bundle; nil for the home's own of that generation.
    ///   - number: the generation that it is expected to hold.
    ///   - seconds: how long, at most ``longest``.
    ///   - reason: why.
    ///   - key: a recovery key; nil for the archive key.
    ///   - signers: further signers that count.
    /// - Returns: when it ends.
    /// - Throws: `ArchiveError`, `KeyManagementError` with `exists`, `noSuchGeneration` or `transitionRefused`.
    public func restore(
        _ path: String?, number: UInt32, seconds: Int64, reason: String, key: RecoveryKey?, signers: [Certificate]
    ) throws -> Timestamp {
        let ring = home.keeper.keyring.ring
        let trusted = try home.keeper.trustedSigners() + (key?.signers ?? []) + signers
        let path = path ?? ring.generation(number)?.escrow.map { home.bundlesPath + "/" + $0.file }
        guard let path else {
            throw ArchiveError(.noSuchBundle, "generation \(number) is in no bundle that this home knows of")
        }
        let bundle = try BundleFile.load(path, trusted: trusted)
        guard bundle.number == number else {
            throw ArchiveError(.otherGeneration, "\(path): holds generation \(bundle.number), not \(number)")
        }
        guard let generation = ring.generation(number) else {
            throw KeyManagementError(
                .noSuchGeneration,
                "group \(ring.name) has no generation \(number); an old copy of a store is read in a fresh home: see keyroll recover --help"
            )
        }
        try bundle.check(isOf: generation, group: ring.group)
        let archiveKey = try home.keeper.archiveKey()
        let material = try bundle.open(
            with: key?.opener ?? .symmetricKey(archiveKey.key, identifier: archiveKey.identifier))
        let restoration = try Self.restoration(seconds: seconds, reason: reason)
        try home.keeper.restore(material.key.bytes, number: number, restoration: restoration)
        // What runs could not move for want of this key is worth another try.
        for store in home.stores { try store.clearQuarantine(of: number) }
        try EvidenceChain(path: home.layout.evidence).append(
            "restoration", job: job,
            [
                "generation": .number(Int64(number)), "until": .text(restoration.until.description),
                "reason": .text(reason), "file": .text(path), "sha256": .text(hexadecimal(bundle.digest)),
                "key": .text(key == nil ? "archive key" : "recovery key"),
            ])
        return restoration.until
    }

    /// From now on, for a time.
    ///
    /// - Throws: ``CustodyError`` with `usage` for a time that is none or too long.
    public static func restoration(seconds: Int64, reason: String) throws -> Restoration {
        guard seconds > 0, seconds <= longest else {
            throw CustodyError(.usage, "a generation is restored for up to 366 days, such as --for 7d")
        }
        guard !reason.isEmpty else { throw CustodyError(.usage, "a restoration needs a reason") }
        let now = Timestamp.now
        return Restoration(since: now, until: now + seconds, reason: reason, boot: .now())
    }
}
