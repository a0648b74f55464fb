/// An empty database of a test's own. It goes away with its server, or when it is dropped.
package struct Database: Sendable {
    package let server: PostgresServer
    package let name: String

    /// libpq's connection string: the socket, as the superuser.
    package var connection: String { server.connection(name) }

    /// The same as another role.
    package func connection(as user: String) -> String { server.connection(name, as: user) }

    /// Runs statements; see ``PostgresServer/run(_:database:as:)``.
    @discardableResult
    package func run(_ sql: String, as user: String = PostgresServer.superuser) throws -> [[String?]] {
        try server.run(sql, database: name, as: user)
    }

    /// Ends the sessions of its clients.
    @discardableResult
    package func terminateBackends() throws -> Int { try server.terminateBackends(database: name) }

    /// Drops it, whoever uses it.
    package func drop() throws { try server.run("DROP DATABASE \(name) WITH (FORCE)") }
}
