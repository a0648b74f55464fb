public import Cryptography
public import Files
import FoundationEssentials
public import KeyManagement

/// What only a recipient's holder can answer: a random text, encrypted as a generation's key would be.
public struct Challenge: Sendable {
    /// The CMS message, PEM.
    public let message: [UInt8]
    /// SHA-256 of the answer.
    public let answerDigest: [UInt8]

    /// - Parameters:
    ///   - recipient: whom to ask.
    ///   - archiveKey: the archive key, in case it is that one.
    public init(for recipient: Recipient, archiveKey: RecipientEnvelope.SharedKey?) throws {
        let answer = Array("keyroll-challenge \(hexadecimal(try Random.publicBytes(32)))\n".utf8)
        let target: RecipientEnvelope.Recipient
        switch recipient.kind {
        case .certificate(let der): target = .certificate(try Certificate(der))
        case .archiveKey(let identifier, _):
            guard let archiveKey else { throw CryptographyError(.notARecipient, "the archive key is not at hand") }
            target = .symmetricKey(archiveKey, identifier: identifier)
        }
        let plaintext = try SecureBytes(count: answer.count) { $0.copyBytes(from: answer) }
        message = PEMText.encode(try RecipientEnvelope.seal(plaintext, to: [target]), label: "CMS")
        answerDigest = try answer.withUnsafeBytes { try sha256($0) }
    }

    /// A recipient that has proven itself at once, since its key is at hand; unchanged where the key is another's.
    public static func proven(
        _ recipient: Recipient, with opener: RecipientEnvelope.Opener, at moment: Timestamp
    ) throws -> Recipient {
        let challenge = try Challenge(for: recipient, archiveKey: nil)
        guard try answer(challenge.message, with: opener) == challenge.answerDigest else { return recipient }
        var recipient = recipient
        recipient.proven = moment
        return recipient
    }

    /// The digest of what a key answers.
    ///
    /// - Parameters:
    ///   - message: the challenge, PEM.
    ///   - opener: the holder's key.
    /// - Throws: ``ArchiveError`` with `wrongKey` or `malformed`.
    public static func answer(_ message: [UInt8], with opener: RecipientEnvelope.Opener) throws -> [UInt8] {
        guard let der = PEMText.decode(message, label: "CMS") else {
            throw ArchiveError(.malformed, "this is no challenge: PEM with a CMS message is expected")
        }
        do { return try RecipientEnvelope.open(der, with: opener).withUnsafeBytes { try sha256($0) } } catch let error
            as CryptographyError where error.code == .notARecipient || error.code == .integrityCheckFailed
        { throw ArchiveError(.wrongKey, "the challenge does not open with this key: it is not this recipient's") }
    }
}

/// Text armour for DER (RFC 7468).
public enum PEMText {
    /// The armoured text, 64 characters a line.
    public static func encode(_ der: [UInt8], label: String) -> [UInt8] {
        let base64 = Array(Data(der).base64EncodedString().utf8)
        var text = Array("-----BEGIN \(label)-----\n".utf8)
        for start in stride(from: 0, to: base64.count, by: 64) {
            text += base64[start..<min(start + 64, base64.count)] + [10]
        }
        return text + Array("-----END \(label)-----\n".utf8)
    }

    /// The DER of the first such block, or nil.
    public static func decode(_ text: [UInt8], label: String) -> [UInt8]? {
        let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let first = lines.firstIndex(of: "-----BEGIN \(label)-----"),
            let last = lines[first...].firstIndex(of: "-----END \(label)-----")
        else { return nil }
        return Data(base64Encoded: lines[(first + 1)..<last].joined()).map { Array($0) }
    }
}
