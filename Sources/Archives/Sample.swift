import Cryptography
import Envelopes
import FoundationEssentials

/// A secret made for rehearsals: a random plaintext under the generation, as a COSE_Encrypt message, with what tells
/// whether it opened. It says nothing of anybody's secrets, and it outlives them.
public struct Sample: Codable, Sendable, Equatable {
    /// The name it is protected under.
    public var name: String
    /// `external_aad`, base64.
    public var externalAAD: String
    /// The message, base64.
    public var message: String
    /// SHA-256 of the plaintext, in hexadecimal digits.
    public var plaintextSHA256: String

    /// - Parameters:
    ///   - index: counts a bundle's samples.
    ///   - group: the group's identity.
    ///   - number: the generation's number.
    ///   - key: its key.
    init(_ index: Int, group: Identity, number: UInt32, key: borrowing SecureBytes) throws {
        let plaintext = try Random.key()
        let dataKey = try Random.key()
        let name = "keyroll/sample/\(index)"
        var body = [UInt8](repeating: 0, count: MessageBody.length(plaintext: plaintext.count, contentType: .bytes))
        let protector = try ContentProtector(group: group)
        try body.withUnsafeMutableBytes { output in
            try plaintext.withUnsafeBytes { plaintext in
                try Array(name.utf8).withUnsafeBytes { name in
                    try dataKey.withUnsafeBytes { dataKey in
                        try protector.protect(
                            plaintext, name: name, context: nil, birth: number, contentType: .bytes,
                            dataKey: dataKey.baseAddress!, into: output.baseAddress!)
                    }
                }
            }
        }
        let wrapped = try dataKey.withUnsafeBytes { try KeyWrap.wrap($0, under: key) }
        let message = body + Message.recipients(KeyIdentifier(group: group, generation: number), wrappedKey: wrapped)
        self.name = name
        externalAAD = Data(ExternalAAD.encoded(group: group, name: Array(name.utf8), context: nil, birth: number))
            .base64EncodedString()
        self.message = Data(message).base64EncodedString()
        plaintextSHA256 = hexadecimal(try plaintext.withUnsafeBytes { try sha256($0) })
    }

    /// Whether a generation's key opens it.
    func opens(group: Identity, number: UInt32, key: borrowing SecureBytes) throws -> Bool {
        guard let message = Data(base64Encoded: message).map({ Array($0) }) else { return false }
        let name = Array(name.utf8)
        let protector = try ContentProtector(group: group)
        let parsed: Message
        do { parsed = try message.withUnsafeBytes { try Message(decoding: $0) } } catch is EnvelopeError {
            return false
        }
        guard parsed.keyIdentifier == KeyIdentifier(group: group, generation: number),
            parsed.layout.plaintextLength == 32
        else { return false }
        // An array's closure cannot give a value that has one owner; it can give it to one that is there.
        var dataKey: SecureBytes?
        do {
            try message.withUnsafeBytes {
                dataKey = try KeyWrap.unwrap(UnsafeRawBufferPointer(rebasing: $0[parsed.wrappedKey]), under: key)
            }
        } catch let error as CryptographyError where error.code == .integrityCheckFailed { return false }
        guard let dataKey else { return false }
        var plaintext = try SecureBytes(count: 32)
        let opened = plaintext.withUnsafeMutableBytes { output in
            message.withUnsafeBytes { bytes in
                name.withUnsafeBytes { name in
                    dataKey.withUnsafeBytes {
                        protector.unprotect(
                            UnsafeRawBufferPointer(rebasing: bytes[..<parsed.bodyLength]), layout: parsed.layout,
                            name: name, context: nil, birth: number, dataKey: $0.baseAddress!,
                            into: output.baseAddress!)
                    }
                }
            }
        }
        return try opened && hexadecimal(plaintext.withUnsafeBytes { try sha256($0) }) == plaintextSHA256
    }
}
