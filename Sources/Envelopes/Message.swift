import Cryptography

/// A complete COSE_Encrypt message (RFC 9052 section 5.1): a body and its one recipient.
///
/// ```
/// body                          see MessageBody
///   81 83 40                    one recipient: array of 3, empty protected header
///     A2 01 24 04 54 kid        unprotected: {1: -5 (A256KW), 4: 20 bytes}
///     58 28 wrapped             the data key under the generation that `kid` names, 40 bytes
/// ```
///
/// (RFC 9053 section 6.2.1: with AES key wrap the recipient's protected header is empty.)
public struct Message: Sendable {
    private static let aes256kw = -5
    /// What the recipients add to a body: 70 bytes.
    public static let recipientsLength = 3 + 3 + 2 + KeyIdentifier.length + 2 + KeyWrap.wrappedLength

    /// Where the parts of the body lie.
    public let layout: MessageBody.Layout
    /// The length of the body, which is in front, in bytes.
    public let bodyLength: Int
    /// Which generation wrapped the data key.
    public let keyIdentifier: KeyIdentifier
    /// Where the wrapped key lies, 40 bytes.
    public let wrappedKey: Range<Int>

    /// The bytes that follow a body.
    ///
    /// - Parameters:
    ///   - keyIdentifier: the generation that wrapped the key.
    ///   - wrappedKey: 40 bytes.
    public static func recipients(_ keyIdentifier: KeyIdentifier, wrappedKey: [UInt8]) -> [UInt8] {
        precondition(wrappedKey.count == KeyWrap.wrappedLength)
        return [0x81, 0x83, 0x40, 0xA2, 0x01, 0x24, 0x04, 0x54] + keyIdentifier.bytes + [0x58, 0x28] + wrappedKey
    }

    /// Finds the parts of a message that takes all the bytes, and refuses every other encoding of it.
    ///
    /// - Throws: ``EnvelopeError``.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(EnvelopeError) {
        var reader = CBORReader(bytes)
        layout = try MessageBody.decode(&reader)
        bodyLength = reader.offset
        var start = reader.offset
        guard try reader.count(.array) == 1 else { throw EnvelopeError(.wrongRecipientCount, at: start) }
        start = reader.offset
        switch try reader.count(.array) {
        case 3: break
        case 4: throw EnvelopeError(.nestedRecipient, at: start)
        default: throw EnvelopeError(.wrongType, at: start)
        }
        start = reader.offset
        guard try reader.byteString().isEmpty else { throw EnvelopeError(.unexpectedHeader, at: start) }
        keyIdentifier = try Self.recipientHeader(&reader, bytes)
        wrappedKey = try reader.byteString()
        guard wrappedKey.count == KeyWrap.wrappedLength else {
            throw EnvelopeError(.wrongWrappedKeyLength, at: wrappedKey.lowerBound)
        }
        try reader.end()
    }

    private static func recipientHeader(
        _ reader: inout CBORReader, _ bytes: UnsafeRawBufferPointer
    ) throws(EnvelopeError) -> KeyIdentifier {
        var labels = HeaderLabels(pairs: try reader.count(.map))
        var algorithm: Int?
        var identifier: Range<Int>?
        while let label = try labels.next(&reader) {
            switch label {
            case 1: algorithm = try HeaderLabels.algorithm(&reader)
            case 4: identifier = try reader.byteString()
            default: throw labels.unexpected
            }
        }
        guard let algorithm, let identifier else { throw EnvelopeError(.missingHeader, at: reader.offset) }
        guard algorithm == aes256kw else { throw EnvelopeError(.wrongAlgorithm, at: reader.offset) }
        guard let decoded = KeyIdentifier(UnsafeRawBufferPointer(rebasing: bytes[identifier])) else {
            throw EnvelopeError(.wrongKeyIdentifier, at: identifier.lowerBound)
        }
        return decoded
    }
}
