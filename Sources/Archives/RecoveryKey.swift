public import Cryptography
import Files

/// What opens a bundle years later: a private key with its certificate, or the archive key, each in a file of its own.
public struct RecoveryKey {
    /// How an envelope opens with it.
    public let opener: RecipientEnvelope.Opener
    /// Its own certificate, where that lies in the same file.
    public let certificate: Certificate?
    /// Other certificates in the file: signers that its holder trusts.
    public let signers: [Certificate]

    /// `keyroll-archive-key-1 `, the identifier (32 digits), a space, the key (64 digits), a new line.
    private static let archivePrefix = Array("keyroll-archive-key-1 ".utf8)

    /// Makes a private key with a self-signed certificate, in one PEM file that must not exist yet.
    ///
    /// - Parameters:
    ///   - path: the file, mode 0600; to be kept elsewhere.
    ///   - group: the group's name, for the certificate.
    ///   - signer: the certificate of who signs the bundles, which is kept with it.
    ///   - now: seconds since 1970.
    /// - Returns: its certificate.
    public static func create(_ path: String, group: String, signer: Certificate, now: Int64) throws -> Certificate {
        let key = try PrivateKey.generate()
        let certificate = try Certificate.selfSigned(
            key, name: "keyroll recovery key of \(group)", usage: .recovery, from: now - 86400, years: 100)
        let text = try key.pem()
        let chain = try certificate.pem() + signer.pem()
        let whole = try SecureBytes(count: text.count + chain.count) { output in
            text.withUnsafeBytes { output.copyMemory(from: $0) }
            chain.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: output[text.count...]).copyMemory(from: $0)
            }
        }
        try whole.withUnsafeBytes { try PrivateFile.write(path, $0, replacing: false) }
        return certificate
    }

    /// Writes the archive key into a file that must not exist yet.
    public static func export(
        _ key: RecipientEnvelope.SharedKey, identifier: [UInt8], to path: String
    ) throws {
        let head = archivePrefix + Array(hexadecimal(identifier).utf8) + [32]
        let text = try SecretDigits.line(head: head, key: key.bytes)
        try text.withUnsafeBytes { try PrivateFile.write(path, $0, replacing: false) }
    }

    /// Reads either kind.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - ask: asks for the passphrase of an encrypted private key.
    /// - Throws: ``ArchiveError`` with `malformed`, `FileError`, what `ask` throws.
    public static func read(_ path: String, ask: PrivateKey.Ask?) throws -> RecoveryKey {
        let text = try SecretFile.read(path)
        if let opener = try archiveKey(text, path) {
            return RecoveryKey(opener: opener, certificate: nil, signers: [])
        }
        do {
            let key = try PrivateKey.read(text, ask: ask)
            let all = try text.withUnsafeBytes { try Certificate.all(inPEM: $0) }
            // Its own certificate picks the recipient.
            let own = all.first { key.belongs(to: $0) }
            return RecoveryKey(
                opener: .privateKey(key, own), certificate: own, signers: all.filter { $0 != own })
        } catch let error as CryptographyError where error.code == .malformed {
            throw ArchiveError(.malformed, "\(path): \(error)")
        }
    }

    private static func archiveKey(
        _ text: borrowing SecureBytes, _ path: String
    ) throws -> RecipientEnvelope.Opener? {
        let start = archivePrefix.count
        let isOne = text.withUnsafeBytes { $0.prefix(start).elementsEqual(archivePrefix) }
        guard isOne else { return nil }
        let malformed = ArchiveError(.malformed, "\(path): is not an archive key as keyroll writes it")
        guard text.count == start + 32 + 1 + 64 + 1 else { throw malformed }
        let name = text.withUnsafeBytes { String(decoding: $0[start..<start + 32], as: UTF8.self) }
        guard let identifier = SecretDigits.publicBytes(name) else { throw malformed }
        guard let key = try SecretDigits.key(in: text, at: start + 33) else { throw malformed }
        return .symmetricKey(RecipientEnvelope.SharedKey(key), identifier: identifier)
    }
}
