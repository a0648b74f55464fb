import BrokerWire
import Foundation
import Glibc
import Synchronization
import Testing

/// A home that belongs to the broker's user, with a signed policy, and a broker that serves it on a socket that
/// everybody reaches. All of it goes away with the test.
final class BrokerHome: Sendable {
    /// Everybody may enter it.
    let folder: String
    let policy: TestPolicy
    /// The group's identity.
    let identity: String
    private let passphrase: String?
    private let running = Mutex<Child?>(nil)

    var path: String { folder + "/home/mail" }
    var socket: String { folder + "/run/broker.sock" }

    /// The command where every user may run it.
    static let command: Result<String, any Error> = Result {
        let folder = "/tmp/keyroll-test-\(getpid())-binary"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        // By another process: one that this one starts at the same moment would hold the file open for writing.
        let copied = try Child("/bin/cp", [Keyroll.binary, folder + "/keyroll"], environment: [:]).wait()
        try #require(copied.code == 0, "\(copied.errors)")
        chmod(folder + "/keyroll", 0o755)
        atexit { try? FileManager.default.removeItem(atPath: "/tmp/keyroll-test-\(getpid())-binary") }
        return folder + "/keyroll"
    }

    /// - Parameters:
    ///   - policy: the first one.
    ///   - passphrase: where the root key comes from one.
    ///   - isServed: whether the broker is started.
    init(_ policy: TestPolicy = TestPolicy(), passphrase: String? = nil, isServed: Bool = true) throws {
        self.policy = policy
        self.passphrase = passphrase
        folder = "/tmp/keyroll-test-broker-\(UUID().uuidString.prefix(8))"
        for (name, mode) in [("", 0o755), ("/home", 0o700), ("/run", 0o755)] as [(String, mode_t)] {
            try #require(mkdir(folder + name, mode) == 0 && chmod(folder + name, mode) == 0)
            if !name.isEmpty { chown(folder + name, TestUser.broker.uid, TestUser.broker.gid) }
        }
        let made = try Self.run(
            .broker,
            ["init", "--home", folder + "/home/mail", "--group", policy.group]
                + (passphrase == nil ? [] : ["--passphrase"]), passphrase: passphrase)
        try #require(made.code == 0, "\(made.errors)")
        let template = try Self.run(
            .broker, ["access", "policy", "template", "--home", folder + "/home/mail"], passphrase: passphrase)
        identity = try #require(template.text.firstMatch(of: /identity: "([0-9a-f]{32})"/)).output.1.description
        let set = try install(policy)
        try #require(set.code == 0, "\(set.errors)")
        if isServed { try start() }
    }

    deinit {
        // The broker ends with its `Child`.
        running.withLock { $0 = nil }
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Users

    /// Runs the command as a user, to its end.
    @discardableResult
    func run(_ user: TestUser, _ arguments: [String], input: Data = Data()) throws -> Outcome {
        try start(user, arguments, input: input).wait()
    }

    /// The same of a command that has to end with this exit code.
    @discardableResult
    func callAsFunction(
        _ user: TestUser, _ arguments: String..., input: Data = Data(), exits code: Int32 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try run(user, arguments, input: input)
        #expect(
            outcome.code == code, "\(user): keyroll \(arguments.joined(separator: " ")): \(outcome.errors)",
            sourceLocation: sourceLocation)
        return outcome
    }

    /// Starts a command as a user, who finds the broker through `KEYROLL_BROKER`.
    func start(_ user: TestUser, _ arguments: [String], input: Data = Data()) throws -> Child {
        try Self.start(user, arguments, variables: ["KEYROLL_BROKER": socket], input: input)
    }

    /// Runs the command as the broker's user on the home itself.
    @discardableResult
    func direct(_ arguments: String..., input: Data = Data(), exits code: Int32 = 0) throws -> Outcome {
        let outcome = try Self.run(
            .broker, arguments + ["--home", path, "--broker", "none"], input: input, passphrase: passphrase)
        #expect(outcome.code == code, "keyroll \(arguments.joined(separator: " ")): \(outcome.errors)")
        return outcome
    }

    static func start(
        _ user: TestUser, _ arguments: [String], variables: [String: String] = [:], input: Data = Data(),
        passphrase: String? = nil
    ) throws -> Child {
        let words = user.command([try command.get()] + arguments + (passphrase == nil ? [] : ["--passphrase-fd", "9"]))
        return try Child(
            words[0], Array(words.dropFirst()),
            environment: ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"].merging(variables) { $1 },
            input: input, descriptors: passphrase.map { [9: Data("\($0)\n".utf8)] } ?? [:])
    }

    private static func run(
        _ user: TestUser, _ arguments: [String], input: Data = Data(), passphrase: String? = nil
    ) throws -> Outcome { try start(user, arguments, input: input, passphrase: passphrase).wait() }

    // MARK: Policies

    /// Writes a policy and its signature where everybody can read them.
    ///
    /// - Returns: the paths of both.
    func write(
        _ policy: TestPolicy, identity: String? = nil, signer: String = "owner", _ form: Signers.Form = .pem
    ) throws -> (document: String, signature: String) {
        let text = try policy.yaml(identity: identity ?? self.identity)
        let name = "policy-\(UUID().uuidString.prefix(8))"
        return (
            try write(name + ".yaml", Data(text.utf8)),
            try write(name + ".p7s", Signers.shared.get().sign(text, by: signer, form))
        )
    }

    /// Installs a policy directly in the home.
    @discardableResult
    func install(_ policy: TestPolicy, signer: String = "owner") throws -> Outcome {
        let files = try write(policy, signer: signer)
        return try Self.run(
            .broker,
            ["access", "policy", "set", files.document, "--signature", files.signature, "--home", path]
                + ["--broker", "none"], passphrase: passphrase)
    }

    /// Writes a file that everybody can read.
    @discardableResult
    func write(_ name: String, _ content: Data) throws -> String {
        let file = folder + "/" + name
        try content.write(to: URL(fileURLWithPath: file))
        chmod(file, 0o644)
        return file
    }

    // MARK: The broker

    /// The broker that runs.
    var broker: Child {
        get throws { try #require(running.withLock { $0 }) }
    }

    /// Starts it, and waits until it answers.
    func start(
        _ options: [String] = [], variables: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let child = try Self.start(
            .broker, ["broker", "--home", path, "--socket", socket] + options, variables: variables,
            passphrase: passphrase)
        running.withLock { $0 = child }
        try waitUntilServing(child, sourceLocation: sourceLocation)
    }

    func waitUntilServing(_ child: Child, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let end = Date().addingTimeInterval(60)
        while Date() < end {
            if let raw = try? RawClient(socket) {
                // One answer, whatever it is: it serves.
                try raw.send(.listAccess)
                if (try? raw.answer()) != nil { return }
            }
            guard child.isRunning else { break }
            usleep(10_000)
        }
        Issue.record("the broker does not serve: \(child.errorsSoFar)", sourceLocation: sourceLocation)
    }

    /// Ends it as a service manager does.
    @discardableResult
    func stop() throws -> Outcome {
        let child = try broker
        child.signal(SIGTERM)
        let outcome = child.wait(atMost: 60)
        running.withLock { $0 = nil }
        return outcome
    }

    /// Ends it without any warning.
    func kill() throws {
        let child = try broker
        child.signal(SIGKILL)
        _ = child.wait()
        running.withLock { $0 = nil }
    }

    /// Ends it, and starts it again.
    func restart(_ options: [String] = [], variables: [String: String] = [:]) throws {
        let outcome = try stop()
        #expect(outcome.code == 0, "\(outcome.errors)")
        try start(options, variables: variables)
    }

    // MARK: Elevated access

    /// Asks for access as the engineer.
    ///
    /// - Returns: the request's name.
    func ask(
        _ secrets: String, for duration: String = "1h", operation: String = "unprotect", as user: TestUser = .engineer,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let asked = try run(
            user,
            ["access", "request", "--secrets", secrets, "--for", duration, "--reason", "ticket 7"]
                + ["--operation", operation])
        try #require(asked.code == 0, "\(asked.errors)", sourceLocation: sourceLocation)
        return asked.text.trimmingCharacters(in: .newlines)
    }

    /// The text that approvers sign.
    func statement(_ id: String, as user: TestUser = .security) throws -> String {
        try self(user, "access", "show", id, "--statement").text
    }

    /// Hands a signature in.
    func approve(_ id: String, as user: TestUser, with signature: Data) throws -> Outcome {
        let file = try write("approval-\(UUID().uuidString.prefix(8))", signature)
        return try run(user, ["access", "approve", id, "--signature", file])
    }

    /// Signs a request as openssl does, and hands that in.
    func approve(_ id: String, as user: TestUser, by certificate: String, _ form: Signers.Form = .pem) throws -> Outcome
    {
        try approve(id, as: user, with: Signers.shared.get().sign(statement(id), by: certificate, form))
    }

    /// Where a request stands.
    func standing(_ id: String) throws -> String {
        let shown = try self(.security, "access", "show", id, "--json")
        let list = try JSONSerialization.jsonObject(with: shown.output) as? [[String: Any]]
        return try #require(list?.first?["standing"] as? String)
    }

    /// A grant by the one level of ``TestPolicy/simple``.
    func grant(_ secrets: String, for duration: String = "1h", operation: String = "unprotect") throws -> String {
        let id = try ask(secrets, for: duration, operation: operation)
        let approved = try approve(id, as: .security, by: "security")
        try #require(approved.code == 0, "\(approved.errors)")
        return id
    }

    /// The engineer reads a secret, or is refused.
    func engineerReads(_ name: String) throws -> Int32 { try run(.engineer, ["get", name]).code }

    // MARK: The log

    /// The audit log's entries, their chain checked.
    func entries(mayBeTorn: Bool = false, sourceLocation: SourceLocation = #_sourceLocation) throws -> [LogEntry] {
        try LogEntry.all(in: path + "/audit", mayBeTorn: mayBeTorn, sourceLocation: sourceLocation)
    }

    /// Whether an entry like this is in the log.
    func expectLogged(
        _ kind: String, _ outcome: String, by user: TestUser? = nil, secret: String? = nil, reason: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let found = try entries(sourceLocation: sourceLocation).contains {
            $0.kind == kind && $0.outcome == outcome && (user == nil || $0.user == user?.rawValue)
                && (secret == nil || $0.secret == secret) && (reason == nil || $0.reason?.contains(reason!) == true)
        }
        #expect(
            found, "not in the log: \(kind) \(outcome) by \(user?.rawValue ?? "anybody") \(reason ?? "")",
            sourceLocation: sourceLocation)
    }
}
