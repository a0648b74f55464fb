extension HomeConfiguration.Store {
    /// What a store is, and where.
    public enum Kind: Sendable, Equatable {
        /// A file: absolute, or below the home.
        case sqlite(path: String)
        /// A schema of a database on a PostgreSQL server.
        ///
        /// - Parameters:
        ///   - connection: a URI or keywords as libpq takes them, without a password: that one is in `~/.pgpass` or
        ///     comes from the server's way to authenticate.
        ///   - schema: the schema that the tables lie in.
        ///   - timeout: seconds that one statement may take.
        case postgres(connection: String, schema: String, timeout: Int64)

        /// The schema where none is named.
        public static let usualSchema = "keyroll"
        /// Seconds that one statement may take where nothing is said.
        public static let usualTimeout: Int64 = 60
    }
}

/// How a kind stands in `keyroll.yaml`.
extension HomeConfiguration.Store.Kind {
    /// The word for it.
    public var label: String {
        switch self {
        case .sqlite: "sqlite"
        case .postgres: "postgres"
        }
    }

    /// An entry's keys and values, apart from the name; what is as usual is written, too, so that nothing about a store
    /// changes when the usual does.
    var entry: [(key: String, value: String)] {
        switch self {
        case .sqlite(let path): [("kind", label), ("path", path)]
        case .postgres(let connection, let schema, let timeout):
            [
                ("kind", label), ("connection", connection), ("schema", schema),
                ("timeout", PolicyDuration.format(timeout)),
            ]
        }
    }

    /// Reads an entry.
    ///
    /// - Returns: the kind, and what such a store is called where it has no name.
    static func read(_ part: YAMLDocument, _ path: String) throws -> (kind: Self, usualName: String) {
        switch try part.string("kind") {
        case "sqlite":
            try part.expect(only: ["name", "kind", "path"])
            guard let file = try part.string("path"), !file.isEmpty else {
                throw HomeError(.configuration, "\(path): a store's 'path' is missing")
            }
            return (.sqlite(path: file), StoreNames.name(ofFile: file))
        case "postgres":
            try part.expect(only: ["name", "kind", "connection", "schema", "timeout"])
            guard let connection = try part.string("connection") else {
                throw part.error("kind", "a postgres store's 'connection' is missing, such as service=keyroll")
            }
            if let fault = ConnectionText.fault(connection) { throw part.error("connection", fault) }
            let schema = try part.string("schema") ?? usualSchema
            if let fault = ConnectionText.fault(schema: schema) { throw part.error("schema", fault) }
            let timeout = try part.duration("timeout") ?? usualTimeout
            guard timeout > 0 else { throw part.error("timeout", "'timeout' has to be longer than nothing") }
            return (.postgres(connection: connection, schema: schema, timeout: timeout), StoreNames.usual(schema))
        default: throw part.error("kind", "a store's kind has to be sqlite or postgres")
        }
    }
}
