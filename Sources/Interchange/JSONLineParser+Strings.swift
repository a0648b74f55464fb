import Glibc

// Strings: RFC 8259, section 7.
extension JSONLineParser {
    /// Decodes the string whose opening quote is at `position` to `output`, and goes past its closing quote.
    ///
    /// - Returns: how many bytes it has.
    package mutating func decodeString() throws(JSONLineFault) -> Int {
        var input = position + 1
        var place = output
        while true {
            // The whole word is stored even when only its beginning counts; the next store writes over the rest.
            let word = Word.load(input)
            let marks = Word.specials(word)
            Word.store(word, place)
            if marks == 0 {
                input += Word.size
                place += Word.size
                continue
            }
            let plain = Word.firstMarked(marks)
            input += plain
            place += plain

            let byte = input.pointee
            if byte == UInt8(ascii: "\"") {
                position = input + 1
                return place - output
            }
            if byte == UInt8(ascii: "\\") {
                position = input
                place += try decodeEscape(to: place)
                input = position
            } else if byte >= 0x80 {
                repeat {
                    let length = UTF8Validation.sequenceLength(at: input, available: end - input)
                    if length == 0 { throw fault(.badUTF8, at: input) }
                    memmove(place, input, length)
                    input += length
                    place += length
                } while input.pointee >= 0x80
            } else {
                throw fault(input == end ? .unfinishedString : .controlCharacter, at: input)
            }
        }
    }

    /// Decodes the escape whose backslash is at `position` and goes past it.
    private mutating func decodeEscape(to place: UnsafeMutablePointer<UInt8>) throws(JSONLineFault) -> Int {
        let letter = position[1]
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): place[0] = letter
        case UInt8(ascii: "b"): place[0] = 0x08
        case UInt8(ascii: "f"): place[0] = 0x0C
        case UInt8(ascii: "n"): place[0] = 0x0A
        case UInt8(ascii: "r"): place[0] = 0x0D
        case UInt8(ascii: "t"): place[0] = 0x09
        case UInt8(ascii: "u"): return try decodeUnicodeEscape(to: place)
        default: throw fault(position + 1 == end ? .unfinishedString : .badEscape)
        }
        position += 2
        return 1
    }

    /// Decodes `\uXXXX`, or two of them that make a surrogate pair, to UTF-8.
    private mutating func decodeUnicodeEscape(to place: UnsafeMutablePointer<UInt8>) throws(JSONLineFault) -> Int {
        guard let first = hexadecimal(at: position + 2) else { throw fault(.badEscape) }
        switch first {
        case 0xDC00...0xDFFF:
            throw fault(.loneSurrogate)
        case 0xD800...0xDBFF:
            guard position[6] == UInt8(ascii: "\\"), position[7] == UInt8(ascii: "u"),
                let second = hexadecimal(at: position + 8), 0xDC00...0xDFFF ~= second
            else { throw fault(.loneSurrogate) }
            position += 12
            return Self.encode(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00), to: place)
        default:
            position += 6
            return Self.encode(first, to: place)
        }
    }

    /// The value of four hexadecimal digits. Anything else stops it, the line feed behind the line too.
    private func hexadecimal(at digits: UnsafePointer<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        for index in 0..<4 {
            let digit = digits[index]
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }

    /// Writes a code point that is not a surrogate in UTF-8 (RFC 3629, section 3).
    private static func encode(_ code: UInt32, to place: UnsafeMutablePointer<UInt8>) -> Int {
        func low(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: code >> shift) & 0x3F | 0x80 }
        switch code {
        case ..<0x80:
            place[0] = UInt8(truncatingIfNeeded: code)
            return 1
        case ..<0x800:
            place[0] = UInt8(truncatingIfNeeded: code >> 6) | 0xC0
            place[1] = low(0)
            return 2
        case ..<0x10000:
            place[0] = UInt8(truncatingIfNeeded: code >> 12) | 0xE0
            place[1] = low(6)
            place[2] = low(0)
            return 3
        default:
            place[0] = UInt8(truncatingIfNeeded: code >> 18) | 0xF0
            place[1] = low(12)
            place[2] = low(6)
            place[3] = low(0)
            return 4
        }
    }
}
