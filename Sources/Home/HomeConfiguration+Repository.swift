import KeyManagement

/// The part of `keyroll.yaml` that says where the ring is kept.
extension HomeConfiguration {
    /// Where the ring is kept.
    public enum Repository: Sendable, Equatable {
        /// `keys.sqlite` and its second copy in the home.
        case sqlite
        /// A database on a PostgreSQL server, which decides who may read and change the ring.
        ///
        /// - Parameters:
        ///   - connection: a URI or keywords as libpq takes them, without a password.
        ///   - schema: the schema that the tables lie in.
        ///   - timeout: seconds that one statement may take.
        case postgres(connection: String, schema: String, timeout: Int64)

        /// Seconds that one statement may take where nothing is said.
        public static let usualTimeout: Int64 = 60
    }

    /// The repository of a document; files in the home where it names none.
    ///
    /// - Throws: ``HomeError`` with `configuration`, naming file and line.
    static func repository(_ document: YAMLDocument) throws -> Repository {
        guard let part = try document.part("repository") else { return .sqlite }
        switch try part.string("kind") {
        case "sqlite":
            try part.expect(only: ["kind"])
            return .sqlite
        case "postgres":
            try part.expect(only: ["kind", "connection", "schema", "timeout"])
            guard let connection = try part.string("connection") else {
                throw part.error("kind", "'repository.connection' is missing, such as service=keyroll")
            }
            if let fault = ConnectionText.fault(connection) { throw part.error("connection", fault) }
            let schema = try part.string("schema") ?? RingPlace.usualSchema
            guard RingPlace.isSchema(schema) else { throw part.error("schema", RingPlace.schemaRule) }
            let timeout = try part.duration("timeout") ?? Repository.usualTimeout
            guard timeout > 0 else { throw part.error("timeout", "'timeout' has to be longer than nothing") }
            return .postgres(connection: connection, schema: schema, timeout: timeout)
        default: throw part.error("kind", "'repository.kind' has to be sqlite or postgres")
        }
    }

    /// The lines of a repository; none where it is files in the home.
    static func lines(_ repository: Repository) -> [String] {
        guard case .postgres(let connection, let schema, let timeout) = repository else { return [] }
        return [
            "repository:", "  kind: postgres", "  connection: \(quoted(connection))", "  schema: \(quoted(schema))",
            "  timeout: \(PolicyDuration.format(timeout))",
        ]
    }
}
