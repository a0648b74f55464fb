/// The inside of JSON strings, for writing (RFC 8259, section 7): quote, backslash and control characters are
/// escaped, all else stands for itself in UTF-8.
package enum JSONEscaping {
    /// How many bytes `bytes` take when escaped.
    package static func escapedCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var position = base.assumingMemoryBound(to: UInt8.self)
        let end = position + bytes.count
        var count = 0
        while position < end {
            if end - position >= Word.size, Word.escapes(Word.load(position)) == 0 {
                count += Word.size
                position += Word.size
            } else {
                count += escapedCount(position.pointee)
                position += 1
            }
        }
        return count
    }

    /// Writes `bytes` escaped. `output` has room for ``escapedCount(_:)-(UnsafeRawBufferPointer)`` bytes.
    ///
    /// - Returns: how many were written.
    @discardableResult
    package static func write(_ bytes: UnsafeRawBufferPointer, to output: UnsafeMutablePointer<UInt8>) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var position = base.assumingMemoryBound(to: UInt8.self)
        let end = position + bytes.count
        var place = output
        while position < end {
            if end - position >= Word.size {
                // Eight more bytes of input need at least eight of output, so storing the whole word is in bounds
                // even when only its beginning counts.
                let word = Word.load(position)
                let marks = Word.escapes(word)
                Word.store(word, place)
                let plain = marks == 0 ? Word.size : Word.firstMarked(marks)
                position += plain
                place += plain
                if marks == 0 { continue }
            }
            place += write(position.pointee, to: place)
            position += 1
        }
        return place - output
    }

    /// How many bytes one byte takes.
    @inline(__always)
    static func escapedCount(_ byte: UInt8) -> Int {
        if byte >= 0x20 { return byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? 2 : 1 }
        return shortEscape(byte) != 0 ? 2 : 6
    }

    /// Writes one byte, escaped if need be.
    @inline(__always)
    static func write(_ byte: UInt8, to output: UnsafeMutablePointer<UInt8>) -> Int {
        if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            output[0] = byte
            return 1
        }
        output[0] = UInt8(ascii: "\\")
        if byte >= 0x20 {
            output[1] = byte
            return 2
        }
        let short = shortEscape(byte)
        guard short == 0 else {
            output[1] = short
            return 2
        }
        output[1] = UInt8(ascii: "u")
        output[2] = UInt8(ascii: "0")
        output[3] = UInt8(ascii: "0")
        output[4] = hexDigit(byte >> 4)
        output[5] = hexDigit(byte & 15)
        return 6
    }

    /// The letter after the backslash for the control characters that have one, else 0.
    @inline(__always)
    private static func shortEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        default: 0
        }
    }
}
