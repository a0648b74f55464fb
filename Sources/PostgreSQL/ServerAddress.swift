import CPostgreSQL
import Glibc

/// Where a PostgreSQL server is found, in libpq's own conventions: a URI or keywords, a service file, `PGHOST` and the
/// other variables, `.pgpass`.
public struct ServerAddress: Sendable, Equatable {
    /// A URI or keywords without a password.
    public let connection: String
    /// For how many seconds an answer may fail to come.
    public let timeout: Int64

    /// - Parameters:
    ///   - connection: a URI or keywords; empty for what the environment says.
    ///   - timeout: seconds, 1 or more.
    /// - Throws: ``ServerFailure`` with `configuration` where it cannot be parsed or carries a password.
    public init(_ connection: String, timeout: Int64 = 60) throws {
        self.connection = connection
        self.timeout = max(1, timeout)
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(connection, &message) else {
            defer { PQfreemem(message) }
            let reason = message.map { String(cString: $0) }?.split(separator: "\n").first.map(String.init)
            throw ServerFailure(.configuration, "connection", reason ?? "cannot be parsed")
        }
        defer { PQconninfoFree(options) }
        guard Self.values(options)["password"] == nil else {
            throw ServerFailure(
                .configuration, "connection",
                "carries a password, which would lie in keyroll.yaml; put it into ~/.pgpass or the file that PGPASSFILE names"
            )
        }
    }

    /// What is set in libpq's list of options.
    static func values(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var values: [String: String] = [:]
        var next = options
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.val, value.pointee != 0 {
                values[String(cString: keyword)] = String(cString: value)
            }
            next += 1
        }
        return values
    }

    /// Whether nobody can listen in between: a Unix socket, or loopback. Each of several hosts has to be.
    static func isLocal(_ values: [String: String]) -> Bool {
        // hostaddr decides where the connection goes, and host only where that is empty: entry by entry.
        func list(_ key: String) -> [String] {
            values[key]?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
        }
        let (hosts, addresses) = (list("host"), list("hostaddr"))
        return (0..<max(hosts.count, addresses.count)).allSatisfy { index in
            let address = index < addresses.count ? addresses[index] : ""
            return isLocal(address.isEmpty ? (index < hosts.count ? hosts[index] : "") : address)
        }
    }

    private static func isLocal(_ host: String) -> Bool {
        if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "::1" {
            return true
        }
        var address = in_addr()
        // In the order of the network: the first byte is the lowest in memory.
        return inet_pton(AF_INET, host, &address) == 1 && withUnsafeBytes(of: address) { $0[0] == 127 }
    }
}
