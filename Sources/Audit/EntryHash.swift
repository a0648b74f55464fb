import Cryptography

/// A SHA-256 as 64 hexadecimal digits in place, so that a line's hash costs no memory of its own.
struct EntryHash: Equatable {
    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    /// How many digits.
    static let count = 64

    /// 64 zeros: what stands before the first entry.
    static let origin: EntryHash = {
        let zeros: UInt64 = 0x3030_3030_3030_3030
        return EntryHash(words: (zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros))
    }()

    private init(words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// The hash of a line without its new line.
    init(of line: UnsafeRawBufferPointer, _ digester: Digester) throws {
        self = .origin
        try withUnsafeTemporaryAllocation(byteCount: Digester.length, alignment: 8) { room in
            let digest = room.bindMemory(to: UInt8.self)
            guard let base = digest.baseAddress else { return }
            try digester.digest(line, into: base)
            withUnsafeMutableBytes(of: &words) { digits in
                for index in 0..<Digester.length {
                    digits[2 * index] = Self.digit(base[index] >> 4)
                    digits[2 * index + 1] = Self.digit(base[index] & 15)
                }
            }
        }
    }

    /// The 64 digits at a place, which were looked at already.
    init(digits: UnsafeRawPointer) {
        self = .origin
        withUnsafeMutableBytes(of: &words) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: digits, count: Self.count))
        }
    }

    /// Reads 64 lower-case hexadecimal digits; nil for anything else.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.count, bytes.allSatisfy(Self.isDigit) else { return nil }
        self = bytes.withUnsafeBytes { EntryHash(digits: $0.baseAddress!) }
    }

    /// The digits.
    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try Swift.withUnsafeBytes(of: words, body)
    }

    /// The digits as text.
    var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

    static func == (left: EntryHash, right: EntryHash) -> Bool {
        let (a, b) = (left.words, right.words)
        return a.0 == b.0 && a.1 == b.1 && a.2 == b.2 && a.3 == b.3 && a.4 == b.4 && a.5 == b.5 && a.6 == b.6
            && a.7 == b.7
    }

    /// Whether a byte is one of `0123456789abcdef`.
    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }

    @inline(__always)
    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
