import Glibc
import Interchange

/// Memory that lines are written into, used again for each append.
///
/// What does not fit into a line is not written at all and noted in ``overflowed``, so that a member is there whole or
/// not.
final class LineBuffer {
    /// The most bytes that one line takes, its new line included.
    static let lineLimit = 64 << 10
    private(set) var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// How many bytes were written.
    var count = 0
    /// Where the present line has to end.
    private var limit = 0
    /// Whether something did not fit.
    var overflowed = false

    init() {
        capacity = 2 * Self.lineLimit
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// Everything that was written.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Makes room for one more line. `spare` bytes are kept back for its end.
    func beginLine(spare: Int) {
        if capacity - count < Self.lineLimit {
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
            larger.update(from: base, count: count)
            base.deallocate()
            base = larger
            capacity *= 2
        }
        limit = count + Self.lineLimit - spare
        overflowed = false
    }

    /// Gives the spare bytes back.
    func endLine(spare: Int) { limit += spare }

    func put(_ text: StaticString) {
        guard count + text.utf8CodeUnitCount <= limit else { return overflowed = true }
        (base + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    func put(_ byte: UInt8) {
        guard count < limit else { return overflowed = true }
        base[count] = byte
        count += 1
    }

    /// Bytes that stand for themselves.
    func put(_ bytes: UnsafeRawBufferPointer) {
        guard count + bytes.count <= limit else { return overflowed = true }
        memcpy(base + count, bytes.baseAddress!, bytes.count)
        count += bytes.count
    }

    func put(_ number: UInt64) {
        guard count + 20 <= limit else { return overflowed = true }
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = number
        for place in (0..<digits).reversed() {
            base[count + place] = 48 + UInt8(rest % 10)
            rest /= 10
        }
        count += digits
    }

    func put(_ number: Int64) {
        if number < 0 { put(UInt8(ascii: "-")) }
        put(number.magnitude)
    }

    /// A time.
    func put(_ moment: timespec, _ clock: inout Moment) {
        guard count + Moment.length <= limit else { return overflowed = true }
        clock.write(moment, to: base + count)
        count += Moment.length
    }

    /// A JSON string with its quotes; text beyond `longest` bytes is cut where a character ends, and ends with `…`.
    func put(quoted text: String, longest: Int) {
        var text = text
        text.withUTF8 { utf8 in
            var bytes = UnsafeRawBufferPointer(utf8)
            var isCut = false
            if bytes.count > longest {
                var end = longest
                while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
                bytes = UnsafeRawBufferPointer(rebasing: bytes[..<end])
                isCut = true
            }
            // The escaping stores whole words, but never beyond what it is going to need.
            let needed = JSONEscaping.escapedCount(bytes)
            guard count + needed + 5 <= limit else { return overflowed = true }
            base[count] = UInt8(ascii: "\"")
            count += 1
            count += JSONEscaping.write(bytes, to: base + count)
            if isCut { put("…") }
            put(UInt8(ascii: "\""))
        }
    }
}
