/// Reads what browsers and password managers export: a header, then an account a row.
final class CSVReader: RecordReader {
    /// The columns, once the header is read.
    private struct Layout {
        let columns: CSVColumns
        /// Only if whole rows are wanted.
        let object: CSVRowObject?
    }

    private let origin: RecordOrigin
    private let wholeRow: Bool
    private let rows: CSVRows
    private var layout: Layout?

    init(_ file: OpenFile, wholeRow: Bool, origin: RecordOrigin) throws {
        self.origin = origin
        self.wholeRow = wholeRow
        // One more for the line feed, which is not counted.
        let limit = origin.limits.maximumLine + 1
        let buffer = try ReadBuffer(file, capacity: origin.bufferCapacity, limit: limit)
        rows = CSVRows(buffer, file: origin.name)
    }

    func fill(_ batch: RecordBatch) throws -> Bool {
        let layout = try self.layout ?? readHeader()
        self.layout = layout
        while !batch.isFull {
            switch try rows.peek() {
            case .end:
                return false
            case .tooLong:
                report("the row is longer than \(origin.limits.maximumLine) bytes")
                rows.drop()
            case .unclosed:
                report("a quote is not closed before the file ends: this row and all after it are not read")
                rows.dropAll()
            case .row(let row, let count):
                // The name needs a byte more than the row has if the row is nothing but a name.
                let objectCount = layout.object?.maximumCount(row, count: count) ?? 0
                guard try batch.reserve(count + 1 + objectCount) else { return true }
                add(row, layout, to: batch)
                rows.drop()
            }
        }
        return true
    }

    private func readHeader() throws -> Layout {
        while true {
            guard case .row(let row, _) = try rows.peek() else { throw badHeader("the file has no header line") }
            if rows.scanner.isBlank {
                rows.drop()
                continue
            }
            if rows.scanner.strayText != nil { throw badHeader("there is text after a closing quote in the header") }
            if rows.scanner.columns > CSVRowScanner.maximumColumns {
                throw badHeader("the header has more than \(CSVRowScanner.maximumColumns) columns")
            }
            let header = CSVFields(row: row, fields: rows.scanner.fields)
            let layout = Layout(
                columns: try CSVColumns(header: header, needsPassword: !wholeRow, file: origin.name),
                object: wholeRow ? try CSVRowObject(header: header, file: origin.name) : nil)
            rows.drop()
            return layout
        }
    }

    private func badHeader(_ reason: String) -> ImportError {
        ImportError(
            .headerMalformed, file: origin.name, line: rows.line,
            reason: reason + ": the first line must name the columns, with commas between them")
    }

    /// Adds one row; a bad one is reported and leaves the batch as it was.
    private func add(_ row: UnsafePointer<UInt8>, _ layout: Layout, to batch: RecordBatch) {
        if rows.scanner.isBlank { return }
        if let place = rows.scanner.strayText {
            return report("there is text after a closing quote (byte \(place + 1) of the row)")
        }
        let columns = layout.columns
        guard rows.scanner.columns == columns.count else {
            return report("the row has \(rows.scanner.columns) columns, the header has \(columns.count)")
        }
        let fields = CSVFields(row: row, fields: rows.scanner.fields)
        guard let nameCount = writeName(fields, columns, to: batch.free) else { return }
        let output = batch.free + nameCount
        let secretCount: Int
        if let object = layout.object {
            guard fields.fields.indices.allSatisfy(fields.isUTF8) else { return report(Self.notUTF8) }
            secretCount = object.write(fields, to: output)
        } else {
            guard let password = columns.password, !fields.isEmpty(password) else { return report("no password") }
            guard fields.isUTF8(password) else { return report(Self.notUTF8) }
            secretCount = fields.write(password, to: output)
        }
        guard secretCount <= origin.limits.maximumSecret else {
            return report("the secret is larger than \(origin.limits.maximumSecret) bytes")
        }
        let name = batch.used..<batch.used + nameCount
        batch.append(
            ImportRecord(
                name: name, context: nil, secret: name.upperBound..<name.upperBound + secretCount, file: origin.file,
                line: rows.line, contentType: layout.object == nil ? .text : .json),
            count: nameCount + secretCount)
    }

    private static let notUTF8 = "not valid utf-8: convert the file first (iconv -t utf-8)"

    /// Writes `url#username`: the title instead of an empty url, and no `#` without a username.
    ///
    /// - Returns: how many bytes it has; `nil` if it is no name, which has been reported.
    private func writeName(
        _ fields: CSVFields, _ columns: CSVColumns, to output: UnsafeMutablePointer<UInt8>
    ) -> Int? {
        guard let place = fields.isEmpty(columns.url) ? columns.title : columns.url, !fields.isEmpty(place) else {
            report("no url and no title to name it by")
            return nil
        }
        var count = fields.write(place, to: output)
        if let username = columns.username, !fields.isEmpty(username) {
            output[count] = UInt8(ascii: "#")
            count += 1 + fields.write(username, to: output + count + 1)
        }
        if let flaw = NameFlaw(UnsafeRawBufferPointer(start: output, count: count), limits: origin.limits) {
            report(flaw.message(origin.limits))
            return nil
        }
        return count
    }

    private func report(_ message: @autoclosure () -> String) {
        origin.report(line: rows.line, message())
    }
}
