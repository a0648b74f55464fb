import CSQLite

/// A prepared statement on the raw handle, for the loops that run once a page or once a secret.
///
/// Bound memory is not copied: it has to stay where it is until the next ``reset()``. One object belongs to the
/// thread that uses its connection, and must go before the connection does.
public final class RawStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    private let path: String

    /// - Parameters:
    ///   - sql: one statement.
    ///   - database: inside ``Connection/access(_:)``.
    ///   - path: the file's name, for messages.
    public init(_ sql: String, _ database: Database, path: String) throws {
        guard let connection = database.handle else {
            throw DatabaseFailure(.internalError, path: path, "connection is closed")
        }
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(
            connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else {
            throw DatabaseFailure(
                resultCode: sqlite3_extended_errcode(connection), path: path,
                message: String(cString: sqlite3_errmsg(connection)))
        }
        handle = prepared
        self.connection = connection
        self.path = path
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds a number. Places count from 1.
    @inline(__always)
    public func bind(_ place: Int32, _ value: Int64) { sqlite3_bind_int64(handle, place, value) }

    /// Binds bytes as a BLOB, without copying them.
    @inline(__always)
    public func bind(_ place: Int32, blob bytes: UnsafeRawBufferPointer) {
        if bytes.count == 0 {
            sqlite3_bind_zeroblob(handle, place, 0)
        } else {
            sqlite3_bind_blob64(handle, place, bytes.baseAddress, UInt64(bytes.count), nil)
        }
    }

    /// Binds UTF-8 as TEXT, without copying it.
    @inline(__always)
    public func bind(_ place: Int32, text bytes: UnsafeRawBufferPointer) {
        sqlite3_bind_text64(
            handle, place, bytes.bindMemory(to: CChar.self).baseAddress, UInt64(bytes.count), nil, UInt8(SQLITE_UTF8))
    }

    /// Binds a copy of a text.
    func bindCopy(_ place: Int32, text: String) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                _ = sqlite3_bind_text64(
                    handle, place, $0.baseAddress, UInt64($0.count), Self.copies, UInt8(SQLITE_UTF8))
            }
        }
    }

    /// Binds a copy of bytes.
    func bindCopy(_ place: Int32, blob: [UInt8]) {
        blob.withUnsafeBytes { bytes in
            if bytes.isEmpty {
                _ = sqlite3_bind_zeroblob(handle, place, 0)
            } else {
                _ = sqlite3_bind_blob64(handle, place, bytes.baseAddress, UInt64(bytes.count), Self.copies)
            }
        }
    }

    /// SQLITE_TRANSIENT, which the header hides behind a macro: SQLite makes a copy of its own.
    private static var copies: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    /// Forgets what is bound.
    func clear() { sqlite3_clear_bindings(handle) }

    /// The columns' names.
    var names: [String] {
        (0..<sqlite3_column_count(handle)).map { String(cString: sqlite3_column_name(handle, $0)) }
    }

    /// A column's value, copied.
    func value(_ column: Int32) -> Row.Value {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(handle, column))
        case SQLITE_TEXT: .text(String(decoding: bytes(column), as: UTF8.self))
        case SQLITE_BLOB: .blob(Array(bytes(column)))
        default: .null
        }
    }

    /// Binds NULL.
    @inline(__always)
    public func bindNull(_ place: Int32) { sqlite3_bind_null(handle, place) }

    /// Goes on by one row.
    ///
    /// - Returns: whether there is a row.
    /// - Throws: ``DatabaseFailure``.
    @inline(__always)
    public func step() throws -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw failure()
    }

    /// Runs a statement that gives no rows, and makes it ready for the next time.
    ///
    /// - Returns: how many rows it changed.
    @discardableResult
    public func run() throws -> Int {
        defer { reset() }
        _ = try step()
        return Int(sqlite3_changes(connection))
    }

    /// As ``run()``, for a statement that may violate a uniqueness constraint.
    ///
    /// - Returns: false for a constraint violation.
    public func runUnlessConflict() throws -> Bool {
        let code = sqlite3_step(handle)
        defer { reset() }
        if code == SQLITE_DONE || code == SQLITE_ROW { return true }
        if code & 0xFF == SQLITE_CONSTRAINT { return false }
        throw failure()
    }

    private func failure() -> DatabaseFailure {
        let failure = DatabaseFailure(
            resultCode: sqlite3_extended_errcode(connection), path: path,
            message: String(cString: sqlite3_errmsg(connection)))
        sqlite3_reset(handle)
        return failure
    }

    /// Makes it ready for the next time.
    @inline(__always)
    public func reset() { sqlite3_reset(handle) }

    /// The number in a column. Columns count from 0.
    @inline(__always)
    public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// Whether a column is NULL.
    @inline(__always)
    public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The bytes of a BLOB or a TEXT; they last until the next ``step()`` or ``reset()``.
    @inline(__always)
    public func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }
}

/// SQLite's incremental input and output on one column: bytes are changed in place, without building the row anew.
public final class BlobWindow {
    private var handle: OpaquePointer?
    private let connection: OpaquePointer
    private let path: String
    private let table: String
    private let column: String
    private let isReadOnly: Bool

    /// - Parameters:
    ///   - table: a table with integer row numbers.
    ///   - column: a column that no index covers.
    ///   - isReadOnly: for a snapshot that must not become a write transaction.
    ///   - database: inside ``Connection/access(_:)``.
    ///   - path: the file's name, for messages.
    public init(table: String, column: String, isReadOnly: Bool = false, _ database: Database, path: String) {
        connection = database.handle!
        self.path = path
        self.isReadOnly = isReadOnly
        self.table = table
        self.column = column
    }

    deinit { close() }

    /// Moves to a row.
    ///
    /// - Returns: the value's length in bytes, or nil where there is no such row.
    @inline(__always)
    public func move(to row: Int64) throws -> Int? {
        let code =
            if let handle { sqlite3_blob_reopen(handle, row) } else {
                sqlite3_blob_open(connection, "main", table, column, row, isReadOnly ? 0 : 1, &handle)
            }
        if code == SQLITE_OK { return Int(sqlite3_blob_bytes(handle)) }
        let failure = DatabaseFailure(
            resultCode: sqlite3_extended_errcode(connection), path: path,
            message: String(cString: sqlite3_errmsg(connection)))
        close()
        if code & 0xFF == SQLITE_ERROR { return nil }
        throw failure
    }

    /// Reads the whole value.
    @inline(__always)
    public func read(into memory: UnsafeMutableRawPointer, count: Int) throws {
        try check(sqlite3_blob_read(handle, memory, Int32(count), 0))
    }

    /// Overwrites the whole value.
    @inline(__always)
    public func write(_ memory: UnsafeRawPointer, count: Int) throws {
        try check(sqlite3_blob_write(handle, memory, Int32(count), 0))
    }

    /// Lets go of the row: before the transaction ends.
    public func close() {
        if let handle { sqlite3_blob_close(handle) }
        handle = nil
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else {
            throw DatabaseFailure(
                resultCode: sqlite3_extended_errcode(connection), path: path,
                message: String(cString: sqlite3_errmsg(connection)))
        }
    }
}
