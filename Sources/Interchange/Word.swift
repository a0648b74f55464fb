/// Eight bytes looked at in one step. The parsers spend their time in strings, nearly all of it on bytes that need
/// nothing but copying; this finds the first byte that does.
package enum Word {
    /// Bytes in a word. Whoever loads or stores words at the end of a buffer needs this much room behind it.
    package static let size = 8
    /// The high bit of each byte.
    package static let highBits: UInt64 = 0x8080_8080_8080_8080
    private static let lowBits: UInt64 = 0x0101_0101_0101_0101

    /// Eight bytes, the first in the low bits.
    @inline(__always)
    package static func load(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self))
    }

    /// Puts eight bytes back.
    @inline(__always)
    package static func store(_ word: UInt64, _ bytes: UnsafeMutablePointer<UInt8>) {
        UnsafeMutableRawPointer(bytes).storeBytes(of: word.littleEndian, as: UInt64.self)
    }

    /// Marks the bytes that cannot stand for themselves in a JSON string (quote, backslash, below 0x20) and those
    /// beyond ASCII. Zero if there is none. Only the lowest mark is exact: a borrow can mark bytes above it.
    @inline(__always)
    package static func specials(_ word: UInt64) -> UInt64 {
        (escapes(word) | word) & highBits
    }

    /// Marks the bytes that have to be escaped in a JSON string: quote, backslash, below 0x20. As above, only the
    /// lowest mark is exact.
    @inline(__always)
    package static func escapes(_ word: UInt64) -> UInt64 {
        let quotes = word ^ (lowBits &* 0x22)
        let backslashes = word ^ (lowBits &* 0x5C)
        let zeroOrBorrow =
            ((quotes &- lowBits) & ~quotes) | ((backslashes &- lowBits) & ~backslashes)
            | ((word &- lowBits &* 0x20) & ~word)
        return zeroOrBorrow & highBits
    }

    /// The index of the byte with the lowest mark. `marks` is not zero.
    @inline(__always)
    package static func firstMarked(_ marks: UInt64) -> Int { marks.trailingZeroBitCount >> 3 }
}
