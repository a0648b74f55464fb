import CPostgreSQL

/// What a statement gave: rows in binary format, in libpq's memory.
public final class Rows {
    private let result: OpaquePointer
    /// How many rows there are.
    public let count: Int

    /// Takes the result over.
    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
    }

    deinit { PQclear(result) }

    /// How many rows the statement changed.
    public var changed: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    /// Whether a value is NULL.
    public func isNull(_ row: Int, _ column: Int) -> Bool { PQgetisnull(result, Int32(row), Int32(column)) == 1 }

    /// A value's bytes; valid as long as this object lives.
    @inline(__always)
    public func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: PQgetvalue(result, Int32(row), Int32(column)),
            count: Int(PQgetlength(result, Int32(row), Int32(column))))
    }

    /// An `int8`, `int4` or `int2`; 0 for NULL and for anything else.
    @inline(__always)
    public func integer(_ row: Int, _ column: Int) -> Int64 {
        let value = bytes(row, column)
        guard let start = value.baseAddress else { return 0 }
        switch value.count {
        case 8: return Int64(bigEndian: start.loadUnaligned(as: Int64.self))
        case 4: return Int64(Int32(bigEndian: start.loadUnaligned(as: Int32.self)))
        case 2: return Int64(Int16(bigEndian: start.loadUnaligned(as: Int16.self)))
        default: return 0
        }
    }

    /// An `xid`.
    @inline(__always)
    public func transaction(_ row: Int, _ column: Int) -> UInt32 {
        let value = bytes(row, column)
        guard value.count == 4, let start = value.baseAddress else { return 0 }
        return UInt32(bigEndian: start.loadUnaligned(as: UInt32.self))
    }

    /// A `bool`; false for NULL.
    public func bool(_ row: Int, _ column: Int) -> Bool { bytes(row, column).first == 1 }

    /// A `text`, or nil for NULL.
    public func text(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : String(decoding: bytes(row, column), as: UTF8.self)
    }

    /// A `bytea`, or nil for NULL.
    public func array(_ row: Int, _ column: Int) -> [UInt8]? { isNull(row, column) ? nil : Array(bytes(row, column)) }
}
