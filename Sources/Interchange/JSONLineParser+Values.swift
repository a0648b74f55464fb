import Glibc

// Members and values that are not ours: they have to be JSON, and nothing is kept of them.
extension JSONLineParser {
    /// Decodes a member's name to `output`, and goes past the colon to its value.
    ///
    /// - Returns: how many bytes the name has.
    @inline(__always)
    package mutating func parseMemberName() throws(JSONLineFault) -> Int {
        guard position.pointee == UInt8(ascii: "\"") else { throw fault(.expectedName) }
        let count = try decodeString()
        skipSpace()
        guard position.pointee == UInt8(ascii: ":") else { throw fault(.expectedColon) }
        position += 1
        skipSpace()
        return count
    }

    /// Goes past one value of any kind. It uses a word of bits and not the stack, so that brackets in a hostile file
    /// cannot exhaust anything.
    package mutating func skipValue() throws(JSONLineFault) {
        var open = OpenContainers()
        while true {
            switch position.pointee {
            case UInt8(ascii: "{"):
                guard open.push(isObject: true) else { throw fault(.tooDeep) }
                position += 1
                skipSpace()
                if position.pointee != UInt8(ascii: "}") {
                    _ = try parseMemberName()
                    continue
                }
            case UInt8(ascii: "["):
                guard open.push(isObject: false) else { throw fault(.tooDeep) }
                position += 1
                skipSpace()
                if position.pointee != UInt8(ascii: "]") { continue }
            case UInt8(ascii: "\""): _ = try decodeString()
            case UInt8(ascii: "t"): try skipLiteral("true")
            case UInt8(ascii: "f"): try skipLiteral("false")
            case UInt8(ascii: "n"): try skipLiteral("null")
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
            default: throw fault(.expectedValue)
            }
            guard try nextValue(&open) else { return }
        }
    }

    /// After a value: closes what ends here and goes on to the next value in what is still open.
    ///
    /// - Returns: false when nothing is open any more.
    private mutating func nextValue(_ open: inout OpenContainers) throws(JSONLineFault) -> Bool {
        while !open.isEmpty {
            skipSpace()
            let isObject = open.lastIsObject
            switch position.pointee {
            case UInt8(ascii: ","):
                position += 1
                skipSpace()
                if isObject { _ = try parseMemberName() }
                return true
            case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                position += 1
                open.pop()
            default:
                throw fault(isObject ? .expectedCommaOrBrace : .expectedCommaOrBracket)
            }
        }
        return false
    }

    private mutating func skipLiteral(_ literal: StaticString) throws(JSONLineFault) {
        let count = literal.utf8CodeUnitCount
        guard end - position >= count, memcmp(position, literal.utf8Start, count) == 0 else {
            throw fault(.badLiteral)
        }
        position += count
    }

    /// A number: RFC 8259, section 6. No leading zeros, no plus sign, digits on both sides of the point.
    private mutating func skipNumber() throws(JSONLineFault) {
        if position.pointee == UInt8(ascii: "-") { position += 1 }
        if position.pointee == UInt8(ascii: "0") {
            position += 1
        } else {
            try skipDigits()
        }
        if position.pointee == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if position.pointee | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position.pointee == UInt8(ascii: "+") || position.pointee == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(JSONLineFault) {
        let first = position
        while UInt8(ascii: "0")...UInt8(ascii: "9") ~= position.pointee { position += 1 }
        if position == first { throw fault(.badNumber) }
    }
}

/// The objects and arrays that are open inside the line's own object: one bit for each.
private struct OpenContainers {
    private var kinds: UInt64 = 0
    private var depth = 0

    package var isEmpty: Bool { depth == 0 }
    package var lastIsObject: Bool { kinds & 1 == 1 }

    /// Opens one; false if that is too deep. The line's object is one of the depth.
    package mutating func push(isObject: Bool) -> Bool {
        guard depth + 1 < JSONLineParser.maximumDepth else { return false }
        kinds = kinds << 1 | (isObject ? 1 : 0)
        depth += 1
        return true
    }

    package mutating func pop() {
        kinds >>= 1
        depth -= 1
    }
}
