/// Well-formed UTF-8 after RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
package enum UTF8Validation {
    /// How long the well-formed sequence is that starts at `bytes`, 1 to 4; 0 if there is none.
    ///
    /// - Parameters:
    ///   - bytes: where to look. At least one byte is there.
    ///   - available: how many bytes may be looked at.
    @inline(__always)
    package static func sequenceLength(at bytes: UnsafePointer<UInt8>, available: Int) -> Int {
        let first = bytes[0]
        if first < 0x80 { return 1 }
        if first < 0xC2 { return 0 }
        if first < 0xE0 {
            return available >= 2 && isContinuation(bytes[1]) ? 2 : 0
        }
        if first < 0xF0 {
            guard available >= 3, isContinuation(bytes[1]), isContinuation(bytes[2]) else { return 0 }
            if first == 0xE0, bytes[1] < 0xA0 { return 0 }
            if first == 0xED, bytes[1] > 0x9F { return 0 }
            return 3
        }
        guard first < 0xF5, available >= 4 else { return 0 }
        guard isContinuation(bytes[1]), isContinuation(bytes[2]), isContinuation(bytes[3]) else { return 0 }
        if first == 0xF0, bytes[1] < 0x90 { return 0 }
        if first == 0xF4, bytes[1] > 0x8F { return 0 }
        return 4
    }

    /// The same for a place in a buffer.
    package static func sequenceLength(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        guard let base = bytes.baseAddress, index < bytes.count else { return 0 }
        let place = (base + index).assumingMemoryBound(to: UInt8.self)
        return sequenceLength(at: place, available: bytes.count - index)
    }

    /// Whether all of it is well-formed. No bytes are valid UTF-8 too.
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var position = base.assumingMemoryBound(to: UInt8.self)
        let end = position + bytes.count
        while position < end {
            // Most text is ASCII: eight bytes at once as long as none has its high bit set.
            if end - position >= Word.size, Word.load(position) & Word.highBits == 0 {
                position += Word.size
                continue
            }
            let length = sequenceLength(at: position, available: end - position)
            if length == 0 { return false }
            position += length
        }
        return true
    }

    @inline(__always)
    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
