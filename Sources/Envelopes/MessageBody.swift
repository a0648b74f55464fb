import Cryptography

/// The part of a COSE_Encrypt message (RFC 9052 section 5.1) that a rewrap does not touch: everything in front
/// of the recipients.
///
/// ```
/// D8 60 84                  tag 96, array of 4
///   4x A2 01 03 03 ct       protected: {1: 3 (A256GCM), 3: content type}
///   A1 05 4C nonce          unprotected: {5: 12 bytes}
///   5x ciphertext           with 16 bytes of tag at its end
/// ```
///
/// This is what a store keeps as a secret's content; ``Message`` adds the recipients.
public enum MessageBody {
    private static let aes256gcm = 3

    /// How long the body of a plaintext is.
    ///
    /// - Parameters:
    ///   - plaintext: the plaintext's length in bytes.
    ///   - contentType: its type.
    public static func length(plaintext: Int, contentType: ContentType) -> Int {
        let sealed = plaintext + ContentCipher.tagLength
        return 3 + 1 + protectedLength(contentType) + 3 + ContentCipher.nonceLength + CBORWriter.headLength(sealed)
            + sealed
    }

    static func protectedLength(_ contentType: ContentType) -> Int {
        4 + CBORWriter.headLength(Int(contentType.rawValue))
    }

    /// Where the parts of a body lie, in bytes from its start.
    public struct Layout: Sendable {
        /// The protected header's encoding, without the head of its byte string.
        public var protected: Range<Int>
        /// The nonce, 12 bytes.
        public var nonce: Range<Int>
        /// Ciphertext and tag.
        public var ciphertext: Range<Int>
        /// The content's type.
        public var contentType: ContentType

        /// The plaintext's length in bytes.
        public var plaintextLength: Int { ciphertext.count - ContentCipher.tagLength }
    }

    /// Writes everything but nonce and ciphertext, and says where those go.
    static func write(_ writer: inout CBORWriter, plaintext: Int, contentType: ContentType) -> Layout {
        writer.head(.tag, 96)
        writer.head(.array, 4)
        writer.head(.bytes, protectedLength(contentType))
        let first = writer.offset
        writer.head(.map, 2)
        writer.head(.unsigned, 1)
        writer.head(.unsigned, aes256gcm)
        writer.head(.unsigned, 3)
        writer.head(.unsigned, Int(contentType.rawValue))
        let protected = first..<writer.offset
        writer.head(.map, 1)
        writer.head(.unsigned, 5)
        writer.head(.bytes, ContentCipher.nonceLength)
        let nonce = writer.offset..<(writer.offset + ContentCipher.nonceLength)
        _ = writer.skip(ContentCipher.nonceLength)
        writer.head(.bytes, plaintext + ContentCipher.tagLength)
        let ciphertext = writer.offset..<(writer.offset + plaintext + ContentCipher.tagLength)
        return Layout(protected: protected, nonce: nonce, ciphertext: ciphertext, contentType: contentType)
    }

    /// Finds the parts of a body that takes all the bytes.
    ///
    /// - Throws: ``EnvelopeError``, for everything that ``length(plaintext:contentType:)`` and the layout above
    ///   do not give.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(EnvelopeError) -> Layout {
        var reader = CBORReader(bytes)
        let layout = try decode(&reader)
        try reader.end()
        return layout
    }

    static func decode(_ reader: inout CBORReader) throws(EnvelopeError) -> Layout {
        guard try reader.peek() == .tag else { throw EnvelopeError(.untagged, at: reader.offset) }
        guard try reader.head(.tag) == 96 else { throw EnvelopeError(.wrongTag) }
        let start = reader.offset
        guard try reader.count(.array) == 4 else { throw EnvelopeError(.wrongType, at: start) }
        let protected = try reader.byteString(atMost: 4096)
        var inner = reader.within(protected)
        let contentType = try protectedHeader(&inner)
        try inner.end()
        let nonce = try unprotectedHeader(&reader)
        let ciphertext = try reader.byteString()
        guard ciphertext.count >= ContentCipher.tagLength else {
            throw EnvelopeError(.truncated, at: ciphertext.lowerBound)
        }
        return Layout(protected: protected, nonce: nonce, ciphertext: ciphertext, contentType: contentType)
    }

    private static func protectedHeader(_ reader: inout CBORReader) throws(EnvelopeError) -> ContentType {
        var labels = HeaderLabels(pairs: try reader.count(.map))
        var algorithm: Int?
        var contentType: ContentType?
        while let label = try labels.next(&reader) {
            switch label {
            case 1:
                algorithm = try HeaderLabels.algorithm(&reader)
            case 3:
                let start = reader.offset
                let number = try reader.head(.unsigned)
                guard number <= UInt64(UInt16.max) else { throw EnvelopeError(.unexpectedHeader, at: start) }
                contentType = ContentType(rawValue: UInt16(number))
            default:
                throw labels.unexpected
            }
        }
        guard let algorithm, let contentType else { throw EnvelopeError(.missingHeader, at: reader.offset) }
        guard algorithm == aes256gcm else { throw EnvelopeError(.wrongAlgorithm, at: reader.offset) }
        return contentType
    }

    private static func unprotectedHeader(_ reader: inout CBORReader) throws(EnvelopeError) -> Range<Int> {
        var labels = HeaderLabels(pairs: try reader.count(.map))
        var nonce: Range<Int>?
        while let label = try labels.next(&reader) {
            guard label == 5 else { throw labels.unexpected }
            nonce = try reader.byteString()
        }
        guard let nonce else { throw EnvelopeError(.missingHeader, at: reader.offset) }
        guard nonce.count == ContentCipher.nonceLength else {
            throw EnvelopeError(.wrongNonceLength, at: nonce.lowerBound)
        }
        return nonce
    }
}

/// The labels of a header map in their deterministic order, each once.
struct HeaderLabels {
    private var remaining: Int
    private var previous: Int?
    private var place = 0

    init(pairs: Int) { remaining = pairs }

    /// The next label, or nil at the map's end. Labels are small, so that their numeric order (non-negative
    /// before negative) is the bytewise order of their encodings.
    mutating func next(_ reader: inout CBORReader) throws(EnvelopeError) -> Int? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        place = reader.offset
        let label = try reader.label()
        if let previous {
            guard label != previous else { throw EnvelopeError(.duplicateHeader, at: place) }
            let ascends = (label < 0) == (previous < 0) ? abs(label) > abs(previous) : label < 0
            guard ascends else { throw EnvelopeError(.nonCanonical, at: place) }
        }
        previous = label
        return label
    }

    /// The error for the label that ``next(_:)`` gave.
    var unexpected: EnvelopeError {
        EnvelopeError(previous == 2 ? .unknownCriticalHeader : .unexpectedHeader, at: place)
    }

    /// An algorithm's number (RFC 9053); names are refused.
    static func algorithm(_ reader: inout CBORReader) throws(EnvelopeError) -> Int {
        let start = reader.offset
        let major = try reader.peek()
        guard major == .unsigned || major == .negative else { throw EnvelopeError(.wrongAlgorithm, at: start) }
        return try reader.label()
    }
}
