import Databases

/// A connection with the statements of a lookup, prepared once: a service looks one secret up after the other.
final class LookupLine: @unchecked Sendable {
    // @unchecked: one thread at a time has it, out of the pool.
    private let connection: Connection
    private var statements: SQLiteSecretStore.LookupStatements?
    private var begin: RawStatement?
    private var end: RawStatement?

    init(_ connection: Connection, path: String) throws {
        self.connection = connection
        try connection.access { database in
            statements = try SQLiteSecretStore.LookupStatements(database, path: path)
            begin = try RawStatement("BEGIN", database, path: path)
            end = try RawStatement("COMMIT", database, path: path)
        }
    }

    /// Looks up in one snapshot.
    func use<R>(_ body: (SQLiteSecretStore.LookupStatements) throws -> R) throws -> R {
        try connection.access { _ in
            try begin!.run()
            let result = Result { try body(statements!) }
            // Nothing was written: an end that fails is as good as one that does not, and the next begin will say so.
            _ = try? end!.run()
            return try result.get()
        }
    }

    deinit {
        // Statements go before their connection.
        statements = nil
        begin = nil
        end = nil
    }
}

/// Lines that nobody uses at the moment.
struct LookupPool {
    private var idle: [LookupLine] = []
    private var isNew = true
    /// So many are kept.
    private static let kept = 16

    /// - Returns: a line, or nil and whether it would be the first.
    mutating func take() -> (LookupLine?, isFirst: Bool) {
        if let line = idle.popLast() { return (line, false) }
        defer { isNew = false }
        return (nil, isNew)
    }

    mutating func give(_ line: LookupLine) { if idle.count < Self.kept { idle.append(line) } }
}
