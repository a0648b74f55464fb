import Foundation

extension PostgresServer {
    /// Runs statements through `psql` and gives every row that they return, in order; the first that fails throws.
    ///
    /// Each value is as PostgreSQL writes it: `bytea` as `\x` and hexadecimal digits, truth as `t` and `f`.
    @discardableResult
    package func run(
        _ sql: String, database: String = "postgres", as user: String = superuser
    ) throws -> [[String?]] {
        try Self.run(sql, connection: connection(database, as: user))
    }

    /// The same over any connection string.
    @discardableResult
    package static func run(_ sql: String, connection: String) throws -> [[String?]] {
        let null = "no-value-\(UUID().uuidString)"
        let psql = try [
            PostgresPrograms.path("psql"), "-X", "-q", "-t", "--csv", "-v", "ON_ERROR_STOP=1", "-P", "null=\(null)",
            "-d", connection, "-f", "-",
        ]
        let output = try Program.run(psql, input: Data(sql.utf8))
        return SeparatedValues.rows(String(decoding: output, as: UTF8.self)).map { row in
            row.map { $0 == null ? nil : $0 }
        }
    }

    /// A connection string for the socket.
    package func connection(_ database: String, as user: String = superuser) -> String {
        Self.connection(database, as: user, host: socketFolder, port: port)
    }

    /// One for any socket.
    static func connection(_ database: String, as user: String, host: String, port: Int) -> String {
        "postgresql:///\(database)?host=\(host)&port=\(port)&user=\(user.percentEncoded)"
    }

    /// Ends the sessions of every client of a database, as an administrator does.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package func terminateBackends(database: String) throws -> Int {
        try run(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = '\(database)' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            """
        ).count
    }
}

extension String {
    fileprivate var percentEncoded: String { addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? self }
}
