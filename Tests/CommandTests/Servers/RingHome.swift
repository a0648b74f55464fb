import Foundation
import TestServers
import Testing

/// A home whose ring is in a database of its own; the roles of each group have names of their own.
final class RingHome: Sendable {
    let home: ScratchHome
    let database: Database
    let group: String
    /// The role that the home connects as.
    let login: String

    var keyroll: Keyroll { home.keyroll }
    var reader: String { "keyroll_\(group)_reader" }
    var `operator`: String { "keyroll_\(group)_operator" }
    var owner: String { "keyroll_\(group)_owner" }
    var auditor: String { "keyroll_\(group)_auditor" }

    /// - Parameters:
    ///   - mayMakeRoles: the login may do all that `init` does.
    ///   - isMade: run `init`.
    init(mayMakeRoles: Bool = true, isMade: Bool = true) throws {
        home = try ScratchHome(isMade: false)
        database = try PostgresServer.shared.database()
        group = "cmd_" + database.name
        login = group + "_login"
        try database.server.role(login, mayMakeRoles ? "CREATEROLE" : "")
        if mayMakeRoles { try database.run("GRANT CREATE ON DATABASE \(database.name) TO \(login)") }
        if isMade { try initialize() }
    }

    /// The words of `keyroll init`.
    var words: [String] {
        [
            "init", "--group", group, "--repository", "postgres", "--repository-connection",
            database.connection(as: login),
        ]
    }

    func initialize(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let outcome = try keyroll.run(words + ["--recovery-key", home.recoveryKey])
        #expect(outcome.code == 0, "\(outcome.errors)", sourceLocation: sourceLocation)
    }

    /// Makes a login that is a member of these roles.
    func login(_ name: String, _ roles: String...) throws -> String {
        let role = "\(group)_\(name)"
        try database.server.role(role)
        for member in roles { try database.run("GRANT \(member) TO \(role)") }
        return role
    }

    /// `keyroll.yaml` with another connection.
    func configuration(_ connection: String) throws -> String {
        try String(contentsOfFile: home.file("keyroll.yaml"), encoding: .utf8)
            .replacingOccurrences(of: database.connection(as: login), with: connection)
    }

    /// Another host's home: configuration and root key, and nothing else. It reads the same ring and the same store.
    func host(as role: String) throws -> Keyroll {
        let other = Keyroll(home: home.folder + "/host-\(role)")
        try FileManager.default.createDirectory(
            atPath: other.home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let text = try configuration(database.connection(as: role))
            .replacingOccurrences(of: "path: secrets.sqlite", with: "path: \(home.file("secrets.sqlite"))")
        let root = try Data(contentsOf: URL(fileURLWithPath: home.file("root.key")))
        for (name, content) in [("keyroll.yaml", Data(text.utf8)), ("root.key", root)] {
            _ = FileManager.default.createFile(
                atPath: "\(other.home)/\(name)", contents: content, attributes: [.posixPermissions: 0o600])
        }
        return other
    }

    /// The rows of both copies.
    func rows() throws -> [[[String?]]] {
        try ["ring", "ring_copy"].map { try database.run("SELECT * FROM keyroll_ring.\($0)") }
    }

    var hasTables: Bool {
        get throws { try database.run("SELECT to_regclass('keyroll_ring.ring') IS NOT NULL") == [["t"]] }
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
