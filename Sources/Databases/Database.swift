import CSQLite

/// A connection in use: what ``Connection/access(_:)`` hands out, for SQL that is not in a hot loop.
///
/// It belongs to the thread that is inside `access`, and to nothing else: keep no reference to it.
public final class Database {
    /// SQLite's handle, for what is done on it directly; nil once it is closed.
    public private(set) var handle: OpaquePointer?
    private let path: String
    // Statements with arguments come again and again, and are few: each is prepared once.
    private var prepared: [String: RawStatement] = [:]

    /// Opens an existing file.
    ///
    /// - Throws: ``DatabaseFailure``.
    init(path: String, readOnly: Bool) throws {
        self.path = path
        // One connection is used by one thread at a time; Connection sees to that.
        let flags = (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw DatabaseFailure(resultCode: code, path: path, message: message)
        }
        sqlite3_extended_result_codes(handle, 1)
    }

    deinit {
        prepared.removeAll()
        // Statements of somebody else's may outlive this; SQLite then closes with the last of them.
        sqlite3_close_v2(handle)
    }

    /// Closes it, and fails where something of it is still in use.
    func close() throws {
        prepared.removeAll()
        let code = sqlite3_close(handle)
        guard code == SQLITE_OK else { throw failure(code) }
        handle = nil
    }

    /// Runs one statement with arguments, or several without.
    public func execute(_ sql: String, _ arguments: [any DatabaseValue] = []) throws {
        guard arguments.isEmpty else {
            _ = try rows(sql, arguments)
            return
        }
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// All rows of a query. They are in memory, so ask for few.
    public func rows(_ sql: String, _ arguments: [any DatabaseValue] = []) throws -> [Row] {
        let statement = try statement(sql, isKept: !arguments.isEmpty)
        for (index, argument) in arguments.enumerated() { argument.bind(to: statement, Int32(index + 1)) }
        defer {
            statement.reset()
            statement.clear()
        }
        let names = statement.names
        var rows: [Row] = []
        while try statement.step() {
            rows.append(Row(names: names, values: (0..<Int32(names.count)).map { statement.value($0) }))
        }
        return rows
    }

    /// The first row of a query.
    public func row(_ sql: String, _ arguments: [any DatabaseValue] = []) throws -> Row? {
        try rows(sql, arguments).first
    }

    /// The first column of the first row as a number; nil where there is no row, or no number in it.
    public func integer(_ sql: String, _ arguments: [any DatabaseValue] = []) throws -> Int64? {
        try row(sql, arguments)?.values.first?.number
    }

    /// The first column of the first row as text; nil where there is no row, or no text in it.
    public func text(_ sql: String, _ arguments: [any DatabaseValue] = []) throws -> String? {
        try row(sql, arguments)?.values.first?.text
    }

    /// The first column of each row, as far as it is text.
    public func texts(_ sql: String, _ arguments: [any DatabaseValue] = []) throws -> [String] {
        try rows(sql, arguments).compactMap { $0.values.first?.text }
    }

    /// Whether there is a table of this name.
    public func hasTable(_ name: String) throws -> Bool {
        try integer("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", [name]) == 1
    }

    /// How many rows the last statement changed.
    public var changes: Int { Int(sqlite3_changes(handle)) }

    /// Whether a transaction is open.
    var isInsideTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    private func statement(_ sql: String, isKept: Bool) throws -> RawStatement {
        if let known = prepared[sql] { return known }
        let statement = try RawStatement(sql, self, path: path)
        if isKept { prepared[sql] = statement }
        return statement
    }

    private func failure(_ code: Int32) -> DatabaseFailure {
        DatabaseFailure(resultCode: code, path: path, message: String(cString: sqlite3_errmsg(handle)))
    }
}
