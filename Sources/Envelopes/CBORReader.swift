/// Reads deterministic CBOR (RFC 8949 section 4.2.1) and refuses everything else.
///
/// A length is compared with what is there before anything is done with it, so that a claim of two
/// gibibytes costs nothing. Nothing is allocated.
struct CBORReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, from offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var isAtEnd: Bool { offset == bytes.count }

    /// The major type of the next item.
    func peek() throws(EnvelopeError) -> CBORWriter.Major {
        guard offset < bytes.count else { throw EnvelopeError(.truncated, at: offset) }
        return CBORWriter.Major(rawValue: bytes[offset] >> 5)!
    }

    /// The argument of an item's head, in its shortest form.
    mutating func head(_ major: CBORWriter.Major) throws(EnvelopeError) -> UInt64 {
        let start = offset
        guard try peek() == major else { throw EnvelopeError(.wrongType, at: start) }
        let short = bytes[offset] & 31
        offset += 1
        switch short {
        case 0..<24:
            return UInt64(short)
        case 24...27:
            let width = 1 << Int(short - 24)
            guard bytes.count - offset >= width else { throw EnvelopeError(.truncated, at: start) }
            var value: UInt64 = 0
            for index in 0..<width { value = value << 8 | UInt64(bytes[offset + index]) }
            offset += width
            let least: UInt64 = width == 1 ? 24 : 1 << UInt64(width * 4)
            guard value >= least else { throw EnvelopeError(.nonCanonical, at: start) }
            return value
        case 31:
            throw EnvelopeError(.indefiniteLength, at: start)
        default:
            throw EnvelopeError(.nonCanonical, at: start)
        }
    }

    /// The range of a byte string's bytes.
    mutating func byteString(atMost limit: Int = .max) throws(EnvelopeError) -> Range<Int> {
        try string(.bytes, limit)
    }

    /// The range of a text's bytes; whether they are UTF-8 is the caller's question.
    mutating func textString(atMost limit: Int = .max) throws(EnvelopeError) -> Range<Int> {
        try string(.text, limit)
    }

    private mutating func string(_ major: CBORWriter.Major, _ limit: Int) throws(EnvelopeError) -> Range<Int> {
        let start = offset
        let length = try head(major)
        guard length <= UInt64(limit) else { throw EnvelopeError(.lengthTooLarge, at: start) }
        guard length <= UInt64(bytes.count - offset) else { throw EnvelopeError(.truncated, at: start) }
        let first = offset
        offset += Int(length)
        return first..<offset
    }

    /// The number of elements of an array or pairs of a map.
    mutating func count(_ major: CBORWriter.Major) throws(EnvelopeError) -> Int {
        let start = offset
        let count = try head(major)
        // Each element takes a byte at least.
        guard count <= UInt64(bytes.count - offset) else { throw EnvelopeError(.truncated, at: start) }
        return Int(count)
    }

    /// A label of a COSE header map: a small integer, here mapped onto Int.
    mutating func label() throws(EnvelopeError) -> Int {
        let start = offset
        let major = try peek()
        guard major == .unsigned || major == .negative else { throw EnvelopeError(.unexpectedHeader, at: start) }
        let value = try head(major)
        guard value < 1 << 31 else { throw EnvelopeError(.unexpectedHeader, at: start) }
        return major == .unsigned ? Int(value) : -1 - Int(value)
    }

    func byte(at index: Int) -> UInt8 { bytes[index] }

    /// Fails unless everything was read.
    func end() throws(EnvelopeError) {
        guard isAtEnd else { throw EnvelopeError(.trailingBytes, at: offset) }
    }

    /// `null`, the only simple value beside the two truth values that keyroll writes.
    mutating func null() throws(EnvelopeError) {
        guard try peek() == .simple, bytes[offset] == 0xF6 else { throw EnvelopeError(.wrongType, at: offset) }
        offset += 1
    }

    mutating func bool() throws(EnvelopeError) -> Bool {
        guard try peek() == .simple, bytes[offset] == 0xF4 || bytes[offset] == 0xF5 else {
            throw EnvelopeError(.wrongType, at: offset)
        }
        defer { offset += 1 }
        return bytes[offset] == 0xF5
    }
}

extension CBORReader {
    /// A reader for the document inside a byte string; its offsets count from the same start.
    func within(_ range: Range<Int>) -> CBORReader {
        CBORReader(UnsafeRawBufferPointer(rebasing: bytes[..<range.upperBound]), from: range.lowerBound)
    }
}
