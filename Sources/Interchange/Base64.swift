/// Base64 with the standard alphabet (RFC 4648, section 4).
///
/// What goes through here is secret, so values are computed and not looked up: no branch and no memory address
/// depends on a secret byte. (Which byte of bad input is bad does show, and may.)
package enum Base64 {
    /// Decodes in place: the result is shorter than the text and starts at the same address.
    ///
    /// Padding may be there, complete, or be left out. White space, other characters, a length that no encoder
    /// makes, and set bits that do not belong to a byte (section 3.5) are refused, since they mean that something
    /// was cut or altered.
    ///
    /// - Returns: how many bytes there are now, or `nil` if it is not base64.
    package static func decode(inPlace bytes: UnsafeMutablePointer<UInt8>, count: Int) -> Int? {
        var digits = count
        if count % 4 == 0, digits > 0, bytes[digits - 1] == UInt8(ascii: "=") {
            digits -= 1
            if bytes[digits - 1] == UInt8(ascii: "=") { digits -= 1 }
        }
        guard digits % 4 != 1 else { return nil }

        var input = 0
        var output = 0
        var invalid: Int32 = 0
        while input + 4 <= digits {
            let (first, second) = (value(bytes[input]), value(bytes[input + 1]))
            let (third, fourth) = (value(bytes[input + 2]), value(bytes[input + 3]))
            invalid |= first | second | third | fourth
            bytes[output] = UInt8(truncatingIfNeeded: first << 2 | second >> 4)
            bytes[output + 1] = UInt8(truncatingIfNeeded: second << 4 | third >> 2)
            bytes[output + 2] = UInt8(truncatingIfNeeded: third << 6 | fourth)
            input += 4
            output += 3
        }
        if digits - input >= 2 {
            let (first, second) = (value(bytes[input]), value(bytes[input + 1]))
            let third = digits - input == 3 ? value(bytes[input + 2]) : 0
            let leftOver = digits - input == 3 ? third & 3 : second & 15
            invalid |= first | second | third | (0 &- leftOver)
            bytes[output] = UInt8(truncatingIfNeeded: first << 2 | second >> 4)
            output += 1
            if digits - input == 3 {
                bytes[output] = UInt8(truncatingIfNeeded: second << 4 | third >> 2)
                output += 1
            }
        }
        return invalid < 0 ? nil : output
    }

    /// How long the text for `count` bytes is, with padding.
    package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Encodes with padding. `output` has room for ``encodedCount(_:)`` bytes.
    package static func encode(_ bytes: UnsafeRawBufferPointer, to output: UnsafeMutablePointer<UInt8>) {
        var input = 0
        var place = output
        while input < bytes.count {
            let left = bytes.count - input
            let first = Int32(bytes[input])
            let second = left > 1 ? Int32(bytes[input + 1]) : 0
            let third = left > 2 ? Int32(bytes[input + 2]) : 0
            place[0] = digit(first >> 2)
            place[1] = digit((first << 4 | second >> 4) & 63)
            place[2] = left > 1 ? digit((second << 2 | third >> 6) & 63) : UInt8(ascii: "=")
            place[3] = left > 2 ? digit(third & 63) : UInt8(ascii: "=")
            input += 3
            place += 4
        }
    }

    /// The value of a digit, or -1. In each line the shift gives all ones if the byte is inside one range.
    @inline(__always)
    private static func value(_ byte: UInt8) -> Int32 {
        let code = Int32(byte)
        var value: Int32 = -1
        value &+= (((0x40 &- code) & (code &- 0x5B)) >> 8) & (code &- 64)  // A to Z
        value &+= (((0x60 &- code) & (code &- 0x7B)) >> 8) & (code &- 70)  // a to z
        value &+= (((0x2F &- code) & (code &- 0x3A)) >> 8) & (code &+ 5)  // 0 to 9
        value &+= (((0x2A &- code) & (code &- 0x2C)) >> 8) & 63  // +
        value &+= (((0x2E &- code) & (code &- 0x30)) >> 8) & 64  // /
        return value
    }

    /// The digit of a value from 0 to 63: starts at `A` and adds the distance from one range to the next.
    @inline(__always)
    private static func digit(_ value: Int32) -> UInt8 {
        var code: Int32 = value &+ 0x41
        code &+= ((25 &- value) >> 8) & 6  // a to z
        code &-= ((51 &- value) >> 8) & 75  // 0 to 9
        code &-= ((61 &- value) >> 8) & 15  // +
        code &+= ((62 &- value) >> 8) & 3  // /
        return UInt8(truncatingIfNeeded: code)
    }
}
