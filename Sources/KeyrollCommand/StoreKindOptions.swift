import ArgumentParser
import Home

/// What a new store is, and where.
struct StoreKindOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable { case sqlite, postgres }

    @Option(help: "sqlite or postgres.") var kind: Kind?
    @Option(help: "sqlite: the file, absolute or below the home.") var path: String?
    @Option(help: "postgres: a URI or keywords as libpq takes them, without a password, or service=NAME.")
    var connection: String?
    @Option(help: "postgres: the schema (else keyroll).") var schema: String?
    @Option(help: "postgres: how long one statement may take (else 60s).") var timeout: String?

    func validate() throws {
        if kind != .sqlite, path != nil { throw ValidationError("--path belongs to --kind sqlite") }
        if kind == .sqlite, path == nil { throw ValidationError("--kind sqlite needs --path") }
        if kind != .postgres, connection != nil || schema != nil || timeout != nil {
            throw ValidationError("--connection, --schema and --timeout belong to --kind postgres")
        }
        if kind == .postgres {
            guard let connection else { throw ValidationError("--kind postgres needs --connection") }
            if let fault = ConnectionText.fault(connection) { throw ValidationError(fault) }
            if let schema, let fault = ConnectionText.fault(schema: schema) { throw ValidationError(fault) }
            if let timeout, PolicyDuration.parse(timeout) ?? 0 < 1 {
                throw ValidationError("--timeout has to be a duration such as 60s")
            }
        }
        if let path, path.isEmpty || Output.shown(path) != path {
            throw ValidationError("--path has to be text without control characters")
        }
    }

    /// The entry in `keyroll.yaml`; nil where no kind is named.
    func entry(_ name: String) throws -> HomeConfiguration.Store? {
        switch kind {
        case nil: nil
        case .sqlite: .init(name: name, kind: .sqlite(path: path ?? ""))
        case .postgres:
            .init(
                name: name,
                kind: .postgres(
                    connection: connection ?? "", schema: schema ?? HomeConfiguration.Store.Kind.usualSchema,
                    timeout: timeout.flatMap(PolicyDuration.parse) ?? HomeConfiguration.Store.Kind.usualTimeout))
        }
    }
}
