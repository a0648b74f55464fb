import Glibc

/// Parses one line of JSON (RFC 8259) into a record, straight from the read buffer to the batch.
///
/// It is stricter than the RFC where that keeps a secret from being misread: a member of ours may not be there
/// twice, and strings have to be valid Unicode. Members that are not ours are checked and skipped.
///
/// The line is followed in memory by a line feed, which is no part of JSON inside a line, so every scan stops there
/// by itself, and by `Word.size` bytes that may be read. The output has room for as many bytes as the line has, and
/// for a word behind them: nothing in JSON decodes to more bytes than it was written with.
package struct JSONLineParser {
    /// What a line is made of. The ranges count from the beginning of the output.
    package struct Line {
        var name = 0..<0
        var context: Range<Int>?
        var secret = 0..<0
        var contentType = ImportContentType.text
        /// How many bytes of the output the line's values take.
        var count = 0
    }

    /// The most objects and arrays inside one another, the line's own object included.
    package static let maximumDepth = 64

    private let start: UnsafePointer<UInt8>
    package let end: UnsafePointer<UInt8>
    private let outputStart: UnsafeMutablePointer<UInt8>
    private let limits: ImportLimits
    /// The next byte to look at.
    package var position: UnsafePointer<UInt8>
    /// The next byte to write. Strings are decoded here; only when one is kept does this move past it.
    package var output: UnsafeMutablePointer<UInt8>

    private var line = Line()
    private var hasName = false
    private var hasContext = false
    private var hasSecret = false
    private var hasBase64 = false

    package init(
        _ line: UnsafePointer<UInt8>, count: Int, output: UnsafeMutablePointer<UInt8>, limits: ImportLimits
    ) {
        start = line
        end = line + count
        position = line
        outputStart = output
        self.output = output
        self.limits = limits
    }

    /// Whether the line has nothing but white space.
    package mutating func isBlank() -> Bool {
        skipSpace()
        return position == end
    }

    /// Parses the line.
    package mutating func parse() throws(JSONLineFault) -> Line {
        skipSpace()
        guard position.pointee == UInt8(ascii: "{") else {
            throw fault(position.pointee == UInt8(ascii: "[") ? .array : .notAnObject)
        }
        position += 1
        skipSpace()
        if position.pointee == UInt8(ascii: "}") {
            position += 1
        } else {
            repeat { try parseMember() } while try nextMember()
        }
        skipSpace()
        if position != end { throw fault(.trailing) }
        return try finished()
    }

    /// After a member: past the comma to the next one, or past the brace that ends the object.
    private mutating func nextMember() throws(JSONLineFault) -> Bool {
        skipSpace()
        let byte = position.pointee
        guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else { throw fault(.expectedCommaOrBrace) }
        position += 1
        guard byte == UInt8(ascii: ",") else { return false }
        skipSpace()
        return true
    }

    private mutating func parseMember() throws(JSONLineFault) {
        let nameStart = position
        let count = try parseMemberName()
        switch Member(UnsafeRawBufferPointer(start: output, count: count)) {
        case .name:
            if hasName { throw fault(.repeatedName, at: nameStart) }
            hasName = true
            line.name = try keepString(.nameNotString)
        case .context:
            if hasContext { throw fault(.repeatedContext, at: nameStart) }
            hasContext = true
            // Programs that write records from a table put null where a row has no context.
            if position.pointee == UInt8(ascii: "n") { return try skipValue() }
            line.context = try keepString(.contextNotString)
        case .secret:
            if hasSecret { throw fault(.repeatedSecret, at: nameStart) }
            hasSecret = true
            line.secret = try keepString(.secretNotString)
        case .secretBase64:
            if hasBase64 { throw fault(.repeatedBase64, at: nameStart) }
            hasBase64 = true
            try keepBase64()
        case .other:
            try skipValue()
        }
    }

    /// Decodes a string value and keeps it.
    private mutating func keepString(_ notString: JSONLineFault.Reason) throws(JSONLineFault) -> Range<Int> {
        guard position.pointee == UInt8(ascii: "\"") else { throw fault(notString) }
        let count = try decodeString()
        let lower = output - outputStart
        output += count
        return lower..<lower + count
    }

    /// Decodes base64 in a string value and keeps the bytes. The string is unescaped first: some writers escape the
    /// slash, which is a base64 digit.
    private mutating func keepBase64() throws(JSONLineFault) {
        guard position.pointee == UInt8(ascii: "\"") else { throw fault(.base64NotString) }
        let valueStart = position
        let count = try decodeString()
        guard let decoded = Base64.decode(inPlace: output, count: count) else {
            throw fault(.badBase64, at: valueStart)
        }
        let lower = output - outputStart
        output += decoded
        line.secret = lower..<lower + decoded
        line.contentType = .bytes
    }

    /// Checks what can only be checked when all members are known.
    private mutating func finished() throws(JSONLineFault) -> Line {
        if hasSecret, hasBase64 { throw wholeLine(.twoSecrets) }
        if !hasName { throw wholeLine(.noName) }
        if !hasSecret, !hasBase64 { throw wholeLine(.noSecret) }
        if line.name.isEmpty { throw wholeLine(.emptyName) }
        if line.name.count > limits.maximumName { throw wholeLine(.longName) }
        if memchr(outputStart + line.name.lowerBound, 0, line.name.count) != nil { throw wholeLine(.nulInName) }
        if let context = line.context, context.count > limits.maximumContext { throw wholeLine(.longContext) }
        if line.secret.count > limits.maximumSecret { throw wholeLine(.longSecret) }
        line.count = output - outputStart
        return line
    }

    /// A fault at a place, the current one unless told. At the end of the line, that is what is wrong.
    package func fault(_ reason: JSONLineFault.Reason, at place: UnsafePointer<UInt8>? = nil) -> JSONLineFault {
        let place = place ?? position
        let isCut = place == end && reason != .notAnObject && reason != .unfinishedString
        return JSONLineFault(reason: isCut ? .unfinished : reason, column: place - start + 1)
    }

    private func wholeLine(_ reason: JSONLineFault.Reason) -> JSONLineFault {
        JSONLineFault(reason: reason, column: 0)
    }

    /// Past white space. A line feed, which is white space too, stands only behind the line.
    @inline(__always)
    package mutating func skipSpace() {
        while true {
            switch position.pointee {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
            default: return
            }
        }
    }
}

/// The members that mean something here.
private enum Member {
    case name, context, secret, secretBase64, other

    /// Compares a decoded member name. Their lengths differ, so one comparison is enough.
    @inline(__always)
    package init(_ bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 4: self = Self.equal(bytes, "name") ? .name : .other
        case 6: self = Self.equal(bytes, "secret") ? .secret : .other
        case 7: self = Self.equal(bytes, "context") ? .context : .other
        case 12: self = Self.equal(bytes, "secretBase64") ? .secretBase64 : .other
        default: self = .other
        }
    }

    @inline(__always)
    private static func equal(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        return memcmp(base, name.utf8Start, name.utf8CodeUnitCount) == 0
    }
}
