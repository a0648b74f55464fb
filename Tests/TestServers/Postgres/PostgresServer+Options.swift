import Foundation

extension PostgresServer {
    /// What a server is to be like.
    package struct Options: Sendable {
        /// The folder in which the data folder is made; memory where there is enough of it, if this is left out. The
        /// server's user has to be able to enter it.
        package var parent: String?
        /// More lines of `postgresql.conf`, which win over those of the tests.
        package var configuration: [String]
        /// How it listens on 127.0.0.1; not at all if this is left out.
        package var tcp: TCP?

        package init(parent: String? = nil, configuration: [String] = [], tcp: TCP? = nil) {
            self.parent = parent
            self.configuration = configuration
            self.tcp = tcp
        }
    }

    /// How a server listens on 127.0.0.1. Every role needs its password there (SCRAM).
    package enum TCP: Sendable, Equatable {
        /// Without encryption.
        case plain
        /// With TLS only, and this certificate.
        case tls(ServerCertificates.Kind)
    }

    /// What the tests set. Parallel queries would take processes of which there are few.
    private static let settings = [
        "listen_addresses = ''", "max_connections = 200", "shared_buffers = 32MB", "max_wal_size = 256MB",
        "min_wal_size = 16MB", "fsync = off", "full_page_writes = off", "dynamic_shared_memory_type = mmap",
        "max_parallel_workers_per_gather = 0", "log_timezone = UTC", "timezone = UTC", "logging_collector = off",
    ]

    /// Writes the settings and who may connect.
    func configure() throws {
        var lines = Self.settings
        lines += ["port = \(port)", "unix_socket_directories = '\(socketFolder)'"]
        var access = ["local all all trust", "local replication all trust"]
        switch options.tcp {
        case nil: break
        case .plain: access.append("host all all 127.0.0.1/32 scram-sha-256")
        case .tls(let kind):
            access.append("hostssl all all 127.0.0.1/32 scram-sha-256")
            let (certificate, key) = try ServerCertificates.shared.copy(kind, to: data)
            try ServerUser.give(key)
            try ServerUser.give(certificate)
            lines += ["ssl = on", "ssl_cert_file = '\(certificate)'", "ssl_key_file = '\(key)'"]
        }
        if options.tcp != nil { lines.append("listen_addresses = '127.0.0.1'") }
        lines += options.configuration
        try append(lines, to: "postgresql.conf")
        try (access.joined(separator: "\n") + "\n").write(
            toFile: data + "/pg_hba.conf", atomically: false, encoding: .utf8)
    }

    private func append(_ lines: [String], to name: String) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(data)/\(name)"))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(("\n" + lines.joined(separator: "\n") + "\n").utf8))
    }

    /// A connection string for 127.0.0.1 under the name `localhost`, for a server with ``Options/tcp``.
    ///
    /// With TLS it asks for `verify-full` and names the authority's certificate.
    package func tcpConnection(
        _ database: String, as user: String, password: String? = nil, host: String = "localhost"
    ) throws -> String {
        var words = ["host=\(host)", "hostaddr=127.0.0.1", "port=\(port)", "dbname=\(database)", "user=\(user)"]
        if let password { words.append("password=\(password.quotedForLibpq)") }
        if case .tls = options.tcp {
            words += try ["sslmode=verify-full", "sslrootcert=\(ServerCertificates.shared.authority)"]
        } else {
            words.append("sslmode=disable")
        }
        return words.joined(separator: " ")
    }
}

extension String {
    /// As a value in a string of keywords and values.
    fileprivate var quotedForLibpq: String {
        "'" + replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
