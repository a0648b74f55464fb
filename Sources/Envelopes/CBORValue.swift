/// A small CBOR document as a tree: for the ring, the journal and other things that are not secrets.
///
/// The encoding is deterministic (RFC 8949 section 4.2.1): the same value always gives the same bytes, so that
/// a MAC over them means something. The decoder takes nothing but such bytes.
public indirect enum CBORValue: Equatable, Sendable {
    /// An integer from 0 up.
    case unsigned(UInt64)
    /// Bytes.
    case bytes([UInt8])
    /// UTF-8 text.
    case text(String)
    /// A list.
    case array([CBORValue])
    /// Names and values; the order of the names is the encoder's.
    case map([String: CBORValue])
    /// True or false.
    case bool(Bool)
    /// Nothing.
    case null

    /// The deterministic encoding.
    public func encoded() -> [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .unsigned(let value):
            Self.head(.unsigned, value, &output)
        case .bytes(let bytes):
            Self.head(.bytes, UInt64(bytes.count), &output)
            output += bytes
        case .text(let text):
            let utf8 = Array(text.utf8)
            Self.head(.text, UInt64(utf8.count), &output)
            output += utf8
        case .array(let items):
            Self.head(.array, UInt64(items.count), &output)
            for item in items { item.write(to: &output) }
        case .map(let pairs):
            Self.head(.map, UInt64(pairs.count), &output)
            // Bytewise order of the encoded keys (RFC 8949 section 4.2.1).
            let encoded = pairs.map { (CBORValue.text($0.key).encoded(), $0.value) }
            for (key, value) in encoded.sorted(by: { $0.0.lexicographicallyPrecedes($1.0) }) {
                output += key
                value.write(to: &output)
            }
        case .bool(let value):
            output.append(value ? 0xF5 : 0xF4)
        case .null:
            output.append(0xF6)
        }
    }

    private static func head(_ major: CBORWriter.Major, _ value: UInt64, _ output: inout [UInt8]) {
        var room: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &room) { memory in
            var writer = CBORWriter(memory.baseAddress!)
            writer.head(major, value)
            output += memory[..<writer.offset]
        }
    }

    /// Decodes one document that takes all the bytes.
    ///
    /// - Throws: ``EnvelopeError``.
    public init(decoding bytes: [UInt8]) throws(EnvelopeError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<CBORValue, EnvelopeError> in
            var reader = CBORReader(buffer)
            do throws(EnvelopeError) {
                let value = try Self.read(&reader, buffer, depth: 0)
                try reader.end()
                return .success(value)
            } catch { return .failure(error) }
        }
        self = try result.get()
    }

    private static func read(
        _ reader: inout CBORReader, _ buffer: UnsafeRawBufferPointer, depth: Int
    ) throws(EnvelopeError) -> CBORValue {
        guard depth < 16 else { throw EnvelopeError(.tooDeep, at: reader.offset) }
        switch try reader.peek() {
        case .unsigned:
            return .unsigned(try reader.head(.unsigned))
        case .bytes:
            return .bytes(Array(buffer[try reader.byteString()]))
        case .text:
            return .text(try text(&reader, buffer))
        case .array:
            var items: [CBORValue] = []
            for _ in 0..<(try reader.count(.array)) { items.append(try read(&reader, buffer, depth: depth + 1)) }
            return .array(items)
        case .map:
            return .map(try map(&reader, buffer, depth: depth))
        case .simple:
            if buffer[reader.offset] == 0xF6 {
                try reader.null()
                return .null
            }
            return .bool(try reader.bool())
        case .negative, .tag:
            throw EnvelopeError(.wrongType, at: reader.offset)
        }
    }

    private static func map(
        _ reader: inout CBORReader, _ buffer: UnsafeRawBufferPointer, depth: Int
    ) throws(EnvelopeError) -> [String: CBORValue] {
        var pairs: [String: CBORValue] = [:]
        var previous: Range<Int>?
        for _ in 0..<(try reader.count(.map)) {
            let start = reader.offset
            let key = try text(&reader, buffer)
            // Swift takes some different sequences of code points for the same text; ASCII has no such pairs, and every
            // name that keyroll writes is ASCII.
            guard key.utf8.allSatisfy({ $0 < 128 }) else { throw EnvelopeError(.invalidText, at: start) }
            let range = start..<reader.offset
            if let previous, !buffer[previous].lexicographicallyPrecedes(buffer[range]) {
                throw EnvelopeError(
                    buffer[previous].elementsEqual(buffer[range]) ? .duplicateHeader : .nonCanonical, at: start)
            }
            previous = range
            pairs[key] = try read(&reader, buffer, depth: depth + 1)
        }
        return pairs
    }

    private static func text(
        _ reader: inout CBORReader, _ buffer: UnsafeRawBufferPointer
    ) throws(EnvelopeError) -> String {
        let start = reader.offset
        guard let text = String(validating: buffer[try reader.textString()], as: UTF8.self) else {
            throw EnvelopeError(.invalidText, at: start)
        }
        return text
    }
}

extension CBORValue {
    /// The number, where it is one.
    public var number: UInt64? { if case .unsigned(let value) = self { value } else { nil } }
    /// The bytes, where they are.
    public var byteString: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
    /// The text, where it is one.
    public var string: String? { if case .text(let value) = self { value } else { nil } }
    /// The items, where it is a list.
    public var items: [CBORValue]? { if case .array(let value) = self { value } else { nil } }
    /// The pairs, where it is a map.
    public var pairs: [String: CBORValue]? { if case .map(let value) = self { value } else { nil } }
    /// True or false, where it is one of them.
    public var truth: Bool? { if case .bool(let value) = self { value } else { nil } }
}
