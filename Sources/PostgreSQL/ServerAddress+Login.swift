import CPostgreSQL

extension ServerAddress {
    /// The role that the connection string itself names, or nil where it leaves that to the environment.
    public var login: String? {
        guard let options = PQconninfoParse(connection, nil) else { return nil }
        defer { PQconninfoFree(options) }
        return Self.values(options)["user"]
    }
}
