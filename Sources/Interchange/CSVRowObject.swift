import Glibc

/// A CSV row as a JSON object (RFC 8259), `{"header":"value",…}` with every column in the file's order.
struct CSVRowObject {
    /// For each column what stands before its value: `{"name":"` or `","name":"`. These are the header's names and
    /// not secret: a file without a header never gets here.
    private let prefixes: ContiguousArray<ContiguousArray<UInt8>>
    /// What stands before the values and behind them, in bytes.
    private let frameCount: Int

    /// - Throws: ``ImportError`` if the header names a column twice or is not UTF-8.
    init(header: CSVFields, file: String) throws {
        var names: Set<ContiguousArray<UInt8>> = []
        var prefixes: ContiguousArray<ContiguousArray<UInt8>> = []
        for column in header.fields.indices {
            guard header.isUTF8(column) else {
                throw ImportError(
                    .headerMalformed, file: file, line: 1,
                    reason: "the header is not valid utf-8: convert the file first (iconv -t utf-8)")
            }
            let name = ContiguousArray<UInt8>(
                unsafeUninitializedCapacity: JSONEscaping.escapedCount(header.raw(column)) + 1
            ) { buffer, count in
                guard let base = buffer.baseAddress else { return }
                count = header.writeEscaped(column, to: base)
            }
            guard names.insert(name).inserted else {
                throw ImportError(
                    .headerRepeatsColumn, file: file, line: 1,
                    reason: "column \(column + 1) has the name of an earlier one: a row as an object needs "
                        + "different names")
            }
            prefixes.append(Array(column == 0 ? "{\"".utf8 : "\",\"".utf8) + name + Array("\":\"".utf8))
        }
        self.prefixes = prefixes
        frameCount = prefixes.reduce(Self.closing.utf8CodeUnitCount) { $0 + $1.count }
    }

    private static var closing: StaticString { "\"}" }

    /// The most bytes that ``write(_:to:)`` writes for a row.
    ///
    /// - Parameters:
    ///   - row: the row's first byte.
    ///   - count: its bytes.
    func maximumCount(_ row: UnsafePointer<UInt8>, count: Int) -> Int {
        frameCount + JSONEscaping.escapedCount(UnsafeRawBufferPointer(start: row, count: count))
    }

    /// Writes the object, and returns how many bytes it has.
    func write(_ row: CSVFields, to output: UnsafeMutablePointer<UInt8>) -> Int {
        var count = 0
        for column in prefixes.indices {
            prefixes[column].withUnsafeBufferPointer { prefix in
                (output + count).update(from: prefix.baseAddress!, count: prefix.count)
                count += prefix.count
            }
            count += row.writeEscaped(column, to: output + count)
        }
        memcpy(output + count, Self.closing.utf8Start, Self.closing.utf8CodeUnitCount)
        return count + Self.closing.utf8CodeUnitCount
    }
}
