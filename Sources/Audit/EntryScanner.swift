import Glibc
import Interchange

/// What a reader needs of a line.
struct ScannedEntry {
    var number: UInt64
    /// The hash of the line before, as the line tells it.
    var previous: EntryHash
    /// Where its parts lie in the line.
    var at: Range<Int>
    var kind: Range<Int>
    var outcome: Range<Int>
    var user: Range<Int>?
    var secret: Range<Int>?
    /// Whether it is a signature over what is before it.
    var isCheckpoint: Bool
    /// The first fact's value, where it is a text: a checkpoint's signature.
    var firstFact: Range<Int>?
}

/// Takes a line apart and accepts only what ``EntryEncoding`` writes: its members in its order, its one way to escape,
/// no white space, valid UTF-8. It allocates nothing.
struct EntryScanner {
    private let bytes: UnsafePointer<UInt8>
    private let count: Int
    private var place = 0

    private init(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Scans a line without its new line; nil where it is not one of keyroll's.
    static func scan(_ line: UnsafeRawBufferPointer) -> ScannedEntry? {
        guard let base = line.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        var scanner = EntryScanner(base, line.count)
        guard let entry = scanner.entry(), scanner.place == scanner.count, UTF8Validation.isValid(line) else {
            return nil
        }
        return entry
    }

    /// The number at the beginning of a line; nil where it is not one of keyroll's.
    static func number(_ line: UnsafeRawBufferPointer) -> UInt64? {
        guard let base = line.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        var scanner = EntryScanner(base, line.count)
        guard scanner.take("{\"number\":"), let number = scanner.unsigned(), scanner.take(",\"previous\":\"") else {
            return nil
        }
        return number
    }

    private mutating func entry() -> ScannedEntry? {
        guard take("{\"number\":"), let number = unsigned(), number > 0, take(",\"previous\":\""),
            count - place > EntryHash.count
        else { return nil }
        for index in 0..<EntryHash.count where !EntryHash.isDigit(bytes[place + index]) { return nil }
        let previous = EntryHash(digits: bytes + place)
        place += EntryHash.count
        guard take("\",\"at\":\""), count - place > Moment.length, Moment.hasForm(bytes + place) else { return nil }
        let at = place..<(place + Moment.length)
        place += Moment.length
        guard take("\",\"kind\":\""), let kind = word(), take("\",\"outcome\":\""), let outcome = word(), take("\"")
        else { return nil }
        var entry = ScannedEntry(
            number: number, previous: previous, at: at, kind: kind, outcome: outcome,
            isCheckpoint: matches(kind, "checkpoint") && matches(outcome, "done"))
        if take(",\"actor\":{\"uid\":") {
            guard unsigned() != nil, take(",\"user\":"), let user = string(), take(",\"pid\":"), integer(),
                take(",\"executable\":"), string() != nil, take("}")
            else { return nil }
            entry.user = user
        }
        if take(",\"secret\":") {
            guard let secret = string() else { return nil }
            entry.secret = secret
        }
        if take(",\"grant\":"), string() == nil { return nil }
        if take(",\"approvers\":"), !list() { return nil }
        if take(",\"reason\":"), string() == nil { return nil }
        if take(",\"facts\":{"), !facts(&entry) { return nil }
        _ = take(",\"cut\":true")
        guard take("}") else { return nil }
        return entry
    }

    private mutating func facts(_ entry: inout ScannedEntry) -> Bool {
        if take("}") { return true }
        var isFirst = true
        repeat {
            guard string() != nil, take(":") else { return false }
            guard place < count else { return false }
            switch bytes[place] {
            case UInt8(ascii: "\""):
                guard let value = string() else { return false }
                if isFirst { entry.firstFact = value }
            case UInt8(ascii: "["): guard list() else { return false }
            case UInt8(ascii: "{"): guard counts() else { return false }
            case UInt8(ascii: "t"): guard take("true") else { return false }
            case UInt8(ascii: "f"): guard take("false") else { return false }
            default: guard integer() else { return false }
            }
            isFirst = false
        } while take(",")
        return take("}")
    }

    private mutating func list() -> Bool {
        guard take("[") else { return false }
        if take("]") { return true }
        repeat { guard string() != nil else { return false } } while take(",")
        return take("]")
    }

    private mutating func counts() -> Bool {
        guard take("{") else { return false }
        if take("}") { return true }
        repeat { guard string() != nil, take(":"), integer() else { return false } } while take(",")
        return take("}")
    }

    @inline(__always)
    private mutating func take(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count - place >= length, memcmp(bytes + place, text.utf8Start, length) == 0 else { return false }
        place += length
        return true
    }

    private func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && memcmp(bytes + range.lowerBound, text.utf8Start, range.count) == 0
    }

    /// Letters up to a quote.
    private mutating func word() -> Range<Int>? {
        let start = place
        while place < count, (bytes[place] | 0x20) &- 97 < 26 { place += 1 }
        return place > start && place - start <= 32 ? start..<place : nil
    }

    private mutating func unsigned() -> UInt64? {
        let start = place
        var value: UInt64 = 0
        while place < count, bytes[place] &- 48 < 10 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[place] - 48))
            guard !overflow, !carry else { return nil }
            value = sum
            place += 1
        }
        guard place > start, bytes[start] != 48 || place - start == 1 else { return nil }
        return value
    }

    private mutating func integer() -> Bool {
        let isNegative = take("-")
        guard let value = unsigned() else { return false }
        return !(isNegative && value == 0)
    }

    /// A string with its quotes, with the one way to escape; what lies between the quotes.
    private mutating func string() -> Range<Int>? {
        guard take("\"") else { return nil }
        let start = place
        while true {
            while count - place >= Word.size {
                let marks = Word.escapes(Word.load(bytes + place))
                guard marks == 0 else {
                    place += Word.firstMarked(marks)
                    break
                }
                place += Word.size
            }
            guard place < count else { return nil }
            let byte = bytes[place]
            if byte == UInt8(ascii: "\"") {
                place += 1
                return start..<(place - 1)
            }
            guard byte >= 0x20 else { return nil }
            place += 1
            if byte == UInt8(ascii: "\\"), !escape() { return nil }
        }
    }

    /// What follows a backslash.
    private mutating func escape() -> Bool {
        guard place < count else { return false }
        let letter = bytes[place]
        place += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "b"), UInt8(ascii: "t"), UInt8(ascii: "n"),
            UInt8(ascii: "f"), UInt8(ascii: "r"):
            return true
        case UInt8(ascii: "u"):
            // Only control characters without a letter of their own are written so.
            guard count - place >= 4, bytes[place] == 48, bytes[place + 1] == 48, EntryHash.isDigit(bytes[place + 2]),
                EntryHash.isDigit(bytes[place + 3]), bytes[place + 2] < 50
            else { return false }
            let low = bytes[place + 3] < 58 ? bytes[place + 3] - 48 : bytes[place + 3] - 87
            let value = (bytes[place + 2] - 48) << 4 | low
            place += 4
            return ![8, 9, 10, 12, 13].contains(value)
        default: return false
        }
    }
}
