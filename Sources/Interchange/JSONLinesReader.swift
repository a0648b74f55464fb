/// Reads JSON Lines: a record a line.
final class JSONLinesReader: RecordReader {
    private let origin: RecordOrigin
    private let lines: LineReader

    init(_ file: OpenFile, origin: RecordOrigin) throws {
        self.origin = origin
        // One more for the line feed, which is not counted.
        let limit = origin.limits.maximumLine + 1
        lines = LineReader(try ReadBuffer(file, capacity: origin.bufferCapacity, limit: limit))
    }

    func fill(_ batch: RecordBatch) throws -> Bool {
        while !batch.isFull {
            switch try lines.peek() {
            case .end:
                return false
            case .tooLong:
                origin.report(line: lines.number, "the line is longer than \(origin.limits.maximumLine) bytes")
            case .line(var start, var count):
                if lines.number == 1 {
                    let mark = try ByteOrderMark.length(start, count: count, file: origin.name)
                    start += mark
                    count -= mark
                }
                guard try batch.reserve(count) else { return true }
                add(start, count, to: batch)
            }
            lines.drop()
        }
        return true
    }

    /// Parses one line; a bad one is reported and leaves the batch as it was.
    private func add(_ start: UnsafePointer<UInt8>, _ count: Int, to batch: RecordBatch) {
        var parser = JSONLineParser(start, count: count, output: batch.free, limits: origin.limits)
        if parser.isBlank() { return }
        do {
            let line = try parser.parse()
            let base = batch.used
            batch.append(
                ImportRecord(
                    name: line.name.shifted(by: base), context: line.context?.shifted(by: base),
                    secret: line.secret.shifted(by: base), file: origin.file, line: lines.number,
                    contentType: line.contentType),
                count: line.count)
        } catch {
            origin.report(line: lines.number, error.message(origin.limits))
        }
    }
}

extension Range<Int> {
    /// The same range further on.
    @inline(__always)
    fileprivate func shifted(by distance: Int) -> Range<Int> {
        lowerBound + distance..<upperBound + distance
    }
}
