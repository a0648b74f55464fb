import ArgumentParser
import Home
import KeyManagement

/// Where a new home keeps its ring.
struct RepositoryOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable { case sqlite, postgres }

    @Option(help: "Where the ring is kept: sqlite (files in the home) or postgres.")
    var repository = Kind.sqlite

    @Option(help: "postgres: a URI or keywords as libpq takes them, without a password, or service=NAME.")
    var repositoryConnection: String?

    @Option(help: "postgres: the schema (else keyroll_ring).")
    var repositorySchema: String?

    @Flag(
        name: .customLong("print-sql"),
        help: "postgres: print the SQL that makes roles, tables and rights, for an administrator; change nothing.")
    var printSQL = false

    func validate() throws {
        guard repository == .postgres else {
            guard repositoryConnection == nil, repositorySchema == nil, !printSQL else {
                throw ValidationError(
                    "--repository-connection, --repository-schema and --print-sql belong to --repository postgres")
            }
            return
        }
        guard repositoryConnection != nil || printSQL else {
            throw ValidationError("--repository postgres needs --repository-connection")
        }
        if let connection = repositoryConnection, let fault = ConnectionText.fault(connection) {
            throw ValidationError(fault)
        }
        if let schema = repositorySchema, !RingPlace.isSchema(schema) { throw ValidationError(RingPlace.schemaRule) }
    }

    /// What stands in `keyroll.yaml`.
    var chosen: HomeConfiguration.Repository {
        guard repository == .postgres else { return .sqlite }
        return .postgres(
            connection: repositoryConnection ?? "", schema: repositorySchema ?? RingPlace.usualSchema,
            timeout: HomeConfiguration.Repository.usualTimeout)
    }
}
