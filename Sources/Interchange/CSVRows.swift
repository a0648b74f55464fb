/// Cuts a file into CSV rows. As with lines, a row is looked at first and dropped later.
final class CSVRows {
    /// What comes next.
    enum Row {
        /// A row; its fields are in ``CSVRows/scanner``, its length in bytes is `count`.
        case row(UnsafePointer<UInt8>, count: Int)
        /// A row longer than the limit. It has been read past already.
        case tooLong
        /// A quote that is open at the end of the file; everything from this row on is inside it.
        case unclosed
        /// There is nothing more.
        case end
    }

    /// The line on which the row starts that ``peek()`` gave, from 1.
    private(set) var line = 1
    private(set) var scanner = CSVRowScanner()
    private let buffer: ReadBuffer
    private let file: String
    private var hasBegun = false
    private var isScanned = false

    init(_ buffer: ReadBuffer, file: String) {
        self.buffer = buffer
        self.file = file
    }

    /// The next row; the same one until ``drop()`` is called.
    func peek() throws -> Row {
        if !hasBegun { try begin() }
        while !isScanned {
            if scanner.scan(buffer.window, count: buffer.count) {
                isScanned = true
                break
            }
            switch try buffer.refill() {
            case .data: continue
            case .full:
                return try skipRow()
            case .endOfFile:
                if buffer.count == 0 { return .end }
                if scanner.isInQuotes { return .unclosed }
                scanner.finish()
                isScanned = true
            }
        }
        return .row(buffer.window, count: scanner.offset)
    }

    /// Goes on to the next row.
    func drop() {
        line += scanner.lineFeeds
        buffer.drop(scanner.offset)
        scanner.reset()
        isScanned = false
    }

    /// Drops everything, when nothing after it can be told apart.
    func dropAll() {
        buffer.drop(buffer.count)
        scanner.reset()
        isScanned = false
    }

    /// Past the byte order mark.
    private func begin() throws {
        while buffer.count < 3 {
            guard case .data = try buffer.refill() else { break }
        }
        buffer.drop(try ByteOrderMark.length(buffer.window, count: buffer.count, file: file))
        hasBegun = true
    }

    /// Drops bytes until the row ends, keeping no more than a window of it.
    private func skipRow() throws -> Row {
        while true {
            buffer.drop(scanner.offset)
            scanner.forget()
            if try buffer.refill() == .endOfFile { return scanner.isInQuotes ? .unclosed : .tooLong }
            if scanner.scan(buffer.window, count: buffer.count) { return .tooLong }
        }
    }
}
