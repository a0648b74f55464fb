/// Writes deterministic CBOR (RFC 8949 section 4.2.1) into memory that the caller has measured.
///
/// It checks no bounds: lengths come from ``CBORWriter/headLength(_:)`` beforehand.
struct CBORWriter {
    private let base: UnsafeMutableRawPointer
    private(set) var offset = 0

    init(_ base: UnsafeMutableRawPointer) { self.base = base }

    /// The major types (RFC 8949 section 3.1).
    enum Major: UInt8 {
        case unsigned = 0
        case negative = 1
        case bytes = 2
        case text = 3
        case array = 4
        case map = 5
        case tag = 6
        case simple = 7
    }

    /// How many bytes the head of an item takes: 1, 2, 3, 5 or 9.
    @inline(__always)
    static func headLength(_ value: Int) -> Int {
        switch value {
        case ..<24: 1
        case ..<0x100: 2
        case ..<0x1_0000: 3
        case ..<0x1_0000_0000: 5
        default: 9
        }
    }

    @inline(__always)
    mutating func head(_ major: Major, _ value: Int) { head(major, UInt64(value)) }

    // The kind is nearly always a constant, and so is many a value: what is left of this is a store or two.
    @inline(__always)
    mutating func head(_ major: Major, _ value: UInt64) {
        let kind = major.rawValue << 5
        switch Self.headLength(Int(clamping: value)) {
        case 1:
            byte(kind | UInt8(value))
        case 2:
            byte(kind | 24)
            byte(UInt8(value))
        case 3:
            byte(kind | 25)
            integer(UInt16(value))
        case 5:
            byte(kind | 26)
            integer(UInt32(value))
        default:
            byte(kind | 27)
            integer(value)
        }
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        base.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
        offset += 1
    }

    @inline(__always)
    mutating func integer<Number: FixedWidthInteger>(_ value: Number) {
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Number.self)
        offset += MemoryLayout<Number>.size
    }

    /// Bytes as they are, without a head.
    mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        if let source = bytes.baseAddress { (base + offset).copyMemory(from: source, byteCount: bytes.count) }
        offset += bytes.count
    }

    /// Leaves room for bytes that somebody else writes, and says where.
    mutating func skip(_ count: Int) -> UnsafeMutableRawPointer {
        defer { offset += count }
        return base + offset
    }

    mutating func bytes(_ bytes: UnsafeRawBufferPointer) {
        head(.bytes, bytes.count)
        raw(bytes)
    }

    mutating func text(_ utf8: UnsafeRawBufferPointer) {
        head(.text, utf8.count)
        raw(utf8)
    }

    mutating func null() { byte(0xF6) }
}
