import Archives
import Cryptography
import Files
import ForgedArchives
import KeyManagement

/// A key group in a folder of its own.
final class Group: Sendable {
    let folder: TemporaryFolder
    let keeper: RingKeeper

    /// - Parameters:
    ///   - signer: who signs, nil for a new key.
    ///   - recipients: beside the archive key.
    ///   - generations: how many are published.
    init(_ name: String = "test", signer: Party? = nil, recipients: [Party] = [], generations: Int = 1) throws {
        folder = try TemporaryFolder()
        let provider = KeyFileProvider(path: folder.path + "/root.key")
        try provider.create()
        keeper = try RingKeeper.create(
            in: SQLiteKeyRepository(path: folder.path + "/keys.sqlite", copy: folder.path + "/keys-copy.sqlite"),
            name: name, policy: .standard, provider: provider)
        try keeper.establishCustody(signer: signer.map { ($0.certificate, try $0.privateKey()) }, at: .now)
        for recipient in recipients { try add(recipient) }
        for _ in 0..<generations { _ = try keeper.publish(above: 0, at: .now, reason: "a test") }
    }

    func add(_ recipient: Party) throws {
        let name = "\(recipient) \(keeper.keyring.ring.recipients.count)"
        try keeper.update { try $0.add(Recipient(name, certificate: recipient.certificate, at: .now)) }
    }

    var identity: Identity { keeper.keyring.ring.group }

    func generation(_ number: UInt32 = 1) throws -> Generation {
        guard let generation = keeper.keyring.ring.generation(number) else { throw Missing() }
        return generation
    }

    /// A generation's key.
    func key(_ number: UInt32 = 1) throws -> RecipientEnvelope.SharedKey {
        RecipientEnvelope.SharedKey(try SecureBytes(keyBytes(number)))
    }

    /// Its bytes. Only for keys that protect nothing.
    func keyBytes(_ number: UInt32 = 1) throws -> [UInt8] {
        guard let key = keeper.keyring.key(number) else { throw Missing() }
        return key.bytes.withUnsafeBytes { Array($0) }
    }

    func archiveOpener() throws -> RecipientEnvelope.Opener {
        let archiveKey = try keeper.archiveKey()
        return .symmetricKey(archiveKey.key, identifier: archiveKey.identifier)
    }

    func trusted() throws -> [Certificate] { try keeper.trustedSigners() }

    func bundle(
        _ number: UInt32 = 1, census: Manifest.Census? = nil, withArchiveKey: Bool = true, at moment: Timestamp = .now
    ) throws -> [UInt8] {
        try Bundle.make(
            generation(number), of: keeper.keyring.ring, key: key(number), census: census,
            archiveKey: withArchiveKey ? keeper.archiveKey().key : nil, signer: keeper.signer(), at: moment)
    }

    func read(_ bytes: [UInt8]) throws -> Bundle { try Bundle(bytes, place: "a bundle", trusted: trusted()) }

    /// A bundle as this group's own signer would write it, were he a forger: an altered manifest with its signature.
    func forged(_ parts: BundleParts, _ change: (inout String) -> Void) throws -> [UInt8] {
        var text = String(decoding: parts.manifest, as: UTF8.self)
        change(&text)
        return try signed(parts, manifest: Array(text.utf8))
    }

    func signed(_ parts: BundleParts, manifest: [UInt8]) throws -> [UInt8] {
        let signer = try keeper.signer()
        var parts = parts
        parts.manifest = manifest
        parts.signature = try SignedMessage.sign(manifest, by: signer.certificate, signer.key, isDetached: true)
        return try parts.packed()
    }

    struct Missing: Error {}
}

extension GenerationMaterial {
    var keyBytes: [UInt8] { key.bytes.withUnsafeBytes { Array($0) } }
}

/// The code of the archive error that `body` throws; nil where it throws another one or none.
func code<R>(of body: () throws -> R) -> ArchiveError.Code? {
    do { _ = try body() } catch { return (error as? ArchiveError)?.code }
    return nil
}
