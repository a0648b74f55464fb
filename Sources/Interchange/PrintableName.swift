/// A file's name for a message. File names can be any bytes: what is not UTF-8, and control characters that would
/// break the line or steer the terminal, is written `\xNN`.
func printableName(_ bytes: UnsafeRawBufferPointer) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
        let length = UTF8Validation.sequenceLength(bytes, at: index)
        // U+0080 to U+009F, the second block of control characters, is C2 80 to C2 9F.
        let isControl =
            length == 1 ? bytes[index] < 0x20 || bytes[index] == 0x7F : bytes[index] == 0xC2 && bytes[index + 1] < 0xA0
        if length > 0, !isControl {
            text.append(contentsOf: bytes[index..<index + length])
            index += length
        } else {
            text.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "x")])
            text.append(hexDigit(bytes[index] >> 4))
            text.append(hexDigit(bytes[index] & 15))
            index += 1
        }
    }
    return String(decoding: text, as: UTF8.self)
}

/// A path for a message; see above.
func printableName(_ path: String) -> String {
    var path = path
    return path.withUTF8 { printableName(UnsafeRawBufferPointer($0)) }
}

/// The lower-case hexadecimal digit of a number below 16.
func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
