import Glibc

/// One row's fields, and how they are written to a batch.
struct CSVFields {
    /// The row's first byte.
    let row: UnsafePointer<UInt8>
    let fields: ContiguousArray<CSVRowScanner.Field>

    /// A field as it stands in the file: without the quotes around it, quotes inside still doubled.
    func raw(_ column: Int) -> UnsafeRawBufferPointer {
        let field = fields[column]
        return UnsafeRawBufferPointer(start: row + field.start, count: field.end - field.start)
    }

    /// Whether there is nothing in a field; a column that the file does not have is empty in each row.
    func isEmpty(_ column: Int?) -> Bool {
        guard let column else { return true }
        return fields[column].start == fields[column].end
    }

    /// Whether a field is valid UTF-8. Doubled quotes make no difference to that.
    func isUTF8(_ column: Int) -> Bool { UTF8Validation.isValid(raw(column)) }

    /// Writes a field's value.
    ///
    /// - Returns: how many bytes it has, at most as many as the field has in the file.
    func write(_ column: Int, to output: UnsafeMutablePointer<UInt8>) -> Int {
        let bytes = raw(column)
        guard let base = bytes.baseAddress, bytes.count > 0 else { return 0 }
        guard fields[column].hasDoubledQuotes else {
            memcpy(output, base, bytes.count)
            return bytes.count
        }
        var count = 0
        var index = 0
        while index < bytes.count {
            output[count] = bytes[index]
            count += 1
            index += bytes[index] == UInt8(ascii: "\"") ? 2 : 1
        }
        return count
    }

    /// Writes a field's value as the inside of a JSON string.
    ///
    /// - Returns: how many bytes that takes, at most as many as the field as it stands would take escaped.
    func writeEscaped(_ column: Int, to output: UnsafeMutablePointer<UInt8>) -> Int {
        let bytes = raw(column)
        guard fields[column].hasDoubledQuotes else { return JSONEscaping.write(bytes, to: output) }
        var count = 0
        var index = 0
        while index < bytes.count {
            count += JSONEscaping.write(bytes[index], to: output + count)
            index += bytes[index] == UInt8(ascii: "\"") ? 2 : 1
        }
        return count
    }
}
