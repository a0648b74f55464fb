/// Finds the end of a CSV row and the places of its fields (RFC 4180, section 2), in as many pieces as the row is
/// read in: a state machine, bytes in, places out.
///
/// Beyond the RFC, rows may end with a line feed alone, and a quote inside a field that does not begin with one
/// stands for itself. Text after a closing quote is an error, as nobody can say what was meant.
struct CSVRowScanner {
    /// Where a field's content is, in bytes from the beginning of the row, without the quotes around it.
    struct Field {
        var start: Int
        var end: Int
        /// Whether quotes in it are doubled.
        var hasDoubledQuotes = false
    }

    private enum State {
        case fieldStart, plain, quoted
        /// After a quote in a quoted field: it ends the field, or it is the first of two.
        case quoteInQuoted
        /// After the closing quote and a carriage return: only a line feed may follow.
        case returnAfterQuote
    }

    /// The most columns whose places are kept. Rows with more are counted on.
    static let maximumColumns = 1024

    /// The fields, up to ``maximumColumns``.
    private(set) var fields: ContiguousArray<Field> = []
    /// How many fields there are.
    private(set) var columns = 0
    /// How many bytes of the row have been scanned.
    private(set) var offset = 0
    /// How many line feeds they have.
    private(set) var lineFeeds = 0
    /// Where text follows a closing quote, if it does.
    private(set) var strayText: Int?
    /// Whether the row is an empty line, as many files have one at their end.
    var isBlank: Bool { columns == 1 && !wasQuoted && fields[0].start == fields[0].end }
    /// Whether a quote is open.
    var isInQuotes: Bool { state == .quoted }

    private var state = State.fieldStart
    private var field = Field(start: 0, end: 0)
    private var wasQuoted = false
    private var lastWasReturn = false

    /// Makes it ready for the next row.
    mutating func reset() {
        fields.removeAll(keepingCapacity: true)
        columns = 0
        offset = 0
        lineFeeds = 0
        strayText = nil
        wasQuoted = false
        lastWasReturn = false
        state = .fieldStart
    }

    /// Scans the row from ``offset`` on.
    ///
    /// - Parameters:
    ///   - row: the row's first byte.
    ///   - count: how many bytes are there, from the first one.
    /// - Returns: whether the row ended; ``offset`` is behind its line feed then.
    mutating func scan(_ row: UnsafePointer<UInt8>, count: Int) -> Bool {
        while offset < count {
            let byte = row[offset]
            switch state {
            case .fieldStart:
                field = Field(start: offset, end: offset)
                lastWasReturn = false
                if byte == UInt8(ascii: "\"") {
                    field.start = offset + 1
                    wasQuoted = true
                    state = .quoted
                } else {
                    state = .plain
                    continue
                }
            case .plain:
                if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") {
                    field.end = byte == UInt8(ascii: "\n") && lastWasReturn ? offset - 1 : offset
                    if endField(at: byte) { return true }
                } else {
                    lastWasReturn = byte == UInt8(ascii: "\r")
                }
            case .quoted:
                if byte == UInt8(ascii: "\"") {
                    field.end = offset
                    state = .quoteInQuoted
                } else if byte == UInt8(ascii: "\n") {
                    lineFeeds += 1
                }
            case .quoteInQuoted:
                if byte == UInt8(ascii: "\"") {
                    field.hasDoubledQuotes = true
                    state = .quoted
                } else if byte == UInt8(ascii: "\r") {
                    state = .returnAfterQuote
                } else if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") {
                    if endField(at: byte) { return true }
                } else {
                    stray(at: offset)
                }
            case .returnAfterQuote:
                if byte == UInt8(ascii: "\n") {
                    if endField(at: byte) { return true }
                } else {
                    stray(at: offset - 1)
                    continue
                }
            }
            offset += 1
        }
        return false
    }

    /// The file ended: so does the last row. No quote is open.
    mutating func finish() {
        if state == .fieldStart { field = Field(start: offset, end: offset) }
        if state == .plain { field.end = lastWasReturn ? offset - 1 : offset }
        addField()
    }

    /// Forgets what was scanned, but goes on in the same state, for a row that is too long to keep.
    mutating func forget() {
        fields.removeAll(keepingCapacity: true)
        offset = 0
    }

    /// After a comma or a line feed that ends a field. Goes past it, and tells whether it ended the row.
    private mutating func endField(at byte: UInt8) -> Bool {
        addField()
        guard byte == UInt8(ascii: "\n") else { return false }
        lineFeeds += 1
        offset += 1
        return true
    }

    private mutating func addField() {
        columns += 1
        if fields.count < Self.maximumColumns { fields.append(field) }
        state = .fieldStart
    }

    private mutating func stray(at place: Int) {
        if strayText == nil { strayText = place }
        // What was meant is unknown; the rest is taken as plain text, to find the end of the row.
        state = .plain
        lastWasReturn = false
    }
}
