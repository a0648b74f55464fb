import Foundation
import TestServers
import Testing

/// How a server is reached, and who is let in: libpq's own conventions.
@Suite(.timeLimit(.minutes(15))) struct ConnectionTests {
    /// A password would lie in the file.
    @Test(arguments: ["postgresql://me:hunter2@db/x", "host=db password=hunter2", "postgresql://db/x?password=hunter2"])
    func noPasswordInTheConfiguration(connection: String) throws {
        let home = try ScratchHome()
        let added = try home.keyroll.run(["store", "add", "pg", "--kind", "postgres", "--connection", connection])
        #expect(added.code == 64 && !added.errors.contains("hunter2"), "\(added.errors)")
        let path = home.file("keyroll.yaml")
        #expect(try !String(contentsOfFile: path, encoding: .utf8).contains("hunter2"))
        try
            (String(contentsOfFile: path, encoding: .utf8)
            + "  - name: pg\n    kind: postgres\n    connection: \"\(connection)\"\n").write(
                toFile: path, atomically: false, encoding: .utf8)
        let opened = try home.keyroll("list", exits: 78)
        opened.expectRefusal("keyroll.yaml:", "pgpass")
        #expect(!opened.errors.contains("hunter2"))
    }

    /// A password from the passfile, a server from the service file.
    @Test func passfileAndServiceFile() throws {
        let server = try PostgresServer(.init(tcp: .plain))
        try server.role("webmail", "SUPERUSER PASSWORD 'open sesame'")
        let database = try server.database()
        let home = try ScratchHome.served(database.connection)
        let passfile = try home.write("pgpass", "127.0.0.1:\(server.port):*:webmail:open sesame\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passfile)
        let services = try home.write(
            "services",
            "[secrets]\nhost=127.0.0.1\nport=\(server.port)\ndbname=\(database.name)\nuser=webmail\n")
        try home.setStore("connection", "service=secrets")
        var keyroll = home.keyroll
        keyroll.variables = ["PGPASSFILE": passfile, "PGSERVICEFILE": services]
        try keyroll("put", "a", input: Data("x".utf8))
        #expect(try keyroll("get", "a").text == "x")
        // Without the passfile, and with a wrong password in it.
        keyroll.variables["PGPASSFILE"] = "/nonexistent"
        try keyroll("get", "a", exits: 77).expectRefusal("password")
        let wrong = try home.write("wrong", "*:*:*:*:closed sesame\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: wrong)
        keyroll.variables["PGPASSFILE"] = wrong
        try keyroll("get", "a", exits: 77).expectRefusal("password authentication failed")
        keyroll.variables["PGSERVICEFILE"] = "/nonexistent"
        try keyroll("get", "a", exits: 78).expectRefusal("service")
    }

    /// What is not there, and what this role may not see.
    @Test func missingAndForbidden() throws {
        let database = try PostgresServer.shared.database()
        let home = try ScratchHome.served(database.connection, 10)
        let server = database.server
        let role = "stranger\(UInt32.random(in: 0 ... .max))"
        try server.role(role)
        try home.setStore("connection", database.connection(as: role))
        try home.keyroll("get", "accounts/1", exits: 77).expectRefusal("permission denied")
        try home.setStore("connection", server.connection("no_such_database"))
        try home.keyroll("get", "accounts/1", exits: 69).expectRefusal("no_such_database")
        try home.setStore("connection", "host=/nonexistent dbname=x")
        try home.keyroll("get", "accounts/1", exits: 69)
        try home.setStore("connection", database.connection)
        try home.setStore("schema", "elsewhere")
        try home.keyroll("get", "accounts/1", exits: 69).expectRefusal("elsewhere")
        try home.setStore("schema", "keyroll")
        try database.run("ALTER TABLE keyroll.secret RENAME TO gone")
        try home.keyroll("get", "accounts/1", exits: 74).expectRefusal("missing")
        try home.keyroll("rotate", "--force", exits: 0)
        try database.run("ALTER TABLE keyroll.gone RENAME TO secret")
        try home.expectAllOpen(10)
        for format in [0, 2] {
            try database.run("UPDATE keyroll.store SET format = \(format)")
            try home.keyroll("get", "accounts/1", exits: 78).expectRefusal("format \(format)")
            try home.keyroll("rotate", "--force", exits: 78)
        }
        try database.run("UPDATE keyroll.store SET format = 1")
        try home.keyroll("verify")
    }

    /// A server that is not local, as far as its name tells, has to show a certificate for that name.
    @Test(arguments: ServerCertificates.Kind.allCases)
    func certificates(kind: ServerCertificates.Kind) throws {
        let server = try PostgresServer(.init(tcp: .tls(kind)))
        try server.role("webmail", "SUPERUSER PASSWORD 'open sesame'")
        let database = try server.database()
        let home = try ScratchHome.served(database.connection)
        let passfile = try home.write("pgpass", "*:*:*:*:open sesame\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passfile)
        var keyroll = home.keyroll
        keyroll.variables = ["PGPASSFILE": passfile]
        // Every name that resolves to this machine but "localhost" counts as elsewhere.
        let elsewhere = "host=LOCALHOST port=\(server.port) dbname=\(database.name) user=webmail"
        let authority = try ServerCertificates.shared.authority
        for weaker in ["", " sslmode=require", " sslmode=prefer", " sslmode=verify-ca"] {
            try home.setStore("connection", "\(elsewhere) sslrootcert=\(authority)\(weaker)")
            let outcome = try keyroll.run(["put", "name\(weaker)"], input: Data("x".utf8))
            #expect(outcome.code == (kind == .good ? 0 : 78), "\(weaker): \(outcome.errors)")
            if kind != .good { #expect(outcome.errors.contains("certificate"), "\(outcome.errors)") }
        }
        try home.setStore("connection", elsewhere + " sslmode=require")
        let unknown = try keyroll.run(["put", "unknown"], input: Data("x".utf8))
        #expect(unknown.code == 78 && unknown.errors.contains("verify-full"), "\(unknown.errors)")
        if kind == .good {
            let count = try database.run("SELECT count(*) FROM keyroll.secret")
            #expect(count == [["4"]])
        }
    }

    /// A server elsewhere without TLS.
    @Test func withoutTLS() throws {
        let server = try PostgresServer(.init(tcp: .plain))
        let database = try server.database()
        let home = try ScratchHome.served(database.connection)
        try home.setStore(
            "connection", "host=LOCALHOST port=\(server.port) dbname=\(database.name) user=postgres sslmode=disable")
        let outcome = try home.keyroll.run(["get", "a"])
        #expect(outcome.code == 78 && outcome.errors.contains("verify-full"), "\(outcome.errors)")
    }
}
