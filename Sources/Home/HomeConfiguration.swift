import Audit
public import KeyManagement

/// What `keyroll.yaml` says.
public struct HomeConfiguration: Sendable, Equatable {
    /// Where the root key comes from.
    public enum RootKey: Sendable, Equatable {
        /// A file, by its path.
        case keyFile(String)
        /// A passphrase, asked on the terminal or read from a descriptor.
        case passphrase
    }

    /// The group's name.
    public var group: String
    /// The policy that is wished; the ring takes it over at the next rotation.
    public var policy: Policy
    /// Where the root key comes from.
    public var rootKey: RootKey
    /// Where the ring is kept.
    public var repository: Repository = .sqlite
    /// The stores.
    public var stores: [Store]
    /// Where the bundles lie: absolute, or below the home.
    public var bundles = "bundles"
    /// Where entries of the audit log are forwarded to: `journal`, `syslog:unix:/dev/log`, `syslog:udp:HOST:PORT` or
    /// `syslog:tcp:HOST:PORT`; nil for nowhere.
    public var forwardAudit: String?

    /// The file's format version.
    static let format = 1

    /// A new home's configuration.
    public init(group: String, policy: Policy, rootKey: RootKey, stores: [Store] = [Store(path: "secrets.sqlite")]) {
        self.group = group
        self.policy = policy
        self.rootKey = rootKey
        self.stores = stores
    }

    /// Reads a file.
    ///
    /// - Throws: ``HomeError`` with `configuration`, naming file and line.
    public init(path: String) throws {
        let document = try YAMLDocument(path: path)
        try document.expect(only: [
            "format", "group", "policy", "rootKey", "repository", "stores", "bundles", "forwardAudit",
        ])
        guard let format = try document.integer("format", in: 1...1_000_000) else {
            throw HomeError(.configuration, "\(path): 'format' is missing; add: format: 1")
        }
        guard format <= Self.format else {
            throw document.error("format", "written by a newer keyroll (format \(format)); install that one")
        }
        guard let group = try document.string("group"), !group.isEmpty else {
            throw HomeError(.configuration, "\(path): 'group' is missing")
        }
        self.group = group
        policy = try Self.policy(document)
        rootKey = try Self.rootKey(document, path)
        repository = try Self.repository(document)
        stores = try Self.stores(document, path)
        forwardAudit = try document.string("forwardAudit")
        if let forwardAudit {
            do { _ = try AuditForwarding.parse(forwardAudit) } catch {
                throw document.error("forwardAudit", "\(error)")
            }
        }
        if let folder = try document.string("bundles") {
            guard !folder.isEmpty else { throw document.error("bundles", "'bundles' has to be a folder") }
            bundles = folder
        }
    }

    private static func policy(_ document: YAMLDocument) throws -> Policy {
        var policy = Policy.standard
        guard let part = try document.part("policy") else { return policy }
        try part.expect(only: [
            "cryptoperiod", "propagationDelay", "soakTime", "keepDeactivated", "destroyRetention", "rehearsalPeriod",
        ])
        if let value = try part.duration("cryptoperiod") {
            guard value > 0 else {
                throw part.error("cryptoperiod", "'policy.cryptoperiod' has to be longer than nothing")
            }
            policy.cryptoperiod = value
        }
        if let value = try part.duration("propagationDelay") { policy.propagationDelay = value }
        if let value = try part.duration("soakTime") { policy.soakTime = value }
        if let value = try part.duration("destroyRetention") { policy.destroyRetention = value }
        if let value = try part.duration("rehearsalPeriod") {
            guard value > 0 else {
                throw part.error("rehearsalPeriod", "'policy.rehearsalPeriod' has to be longer than nothing")
            }
            policy.rehearsalPeriod = value
        }
        if let value = try part.integer("keepDeactivated", in: 0...10_000) { policy.keepDeactivated = value }
        return policy
    }

    private static func rootKey(_ document: YAMLDocument, _ path: String) throws -> RootKey {
        guard let part = try document.part("rootKey") else {
            throw HomeError(.configuration, "\(path): 'rootKey' is missing")
        }
        try part.expect(only: ["provider", "path"])
        switch try part.string("provider") {
        case "keyFile": return .keyFile(try part.string("path") ?? "root.key")
        case "passphrase": return .passphrase
        default: throw part.error("provider", "'rootKey.provider' has to be keyFile or passphrase")
        }
    }

    /// The file's text.
    public var text: String {
        var lines = [
            "# keyroll's home; keyroll rotate takes changes of the policy over. See docs/configuration.md",
            "format: \(Self.format)",
            "group: \(Self.quoted(group))",
            "policy:",
            "  cryptoperiod: \(PolicyDuration.format(policy.cryptoperiod))      # how long a generation stays active",
            "  propagationDelay: \(PolicyDuration.format(policy.propagationDelay))   # published before it becomes active",
            "  soakTime: \(PolicyDuration.format(policy.soakTime))           # on line after nothing needs it any more",
            "  keepDeactivated: \(policy.keepDeactivated)     # deactivated generations that stay on line",
            "  destroyRetention: \(PolicyDuration.format(policy.destroyRetention))  # until a destruction that was asked for may be final",
            "  rehearsalPeriod: \(PolicyDuration.format(policy.rehearsalPeriod))   # how old the proof that a bundle can be restored may be",
            "rootKey:",
        ]
        switch rootKey {
        case .keyFile(let path): lines += ["  provider: keyFile", "  path: \(Self.quoted(path))"]
        case .passphrase: lines.append("  provider: passphrase")
        }
        lines += Self.lines(repository)
        lines.append("stores:")
        for store in stores { lines += Self.lines(store) }
        if let forwardAudit { lines.append("forwardAudit: \(Self.quoted(forwardAudit))") }
        if bundles != "bundles" { lines.append("bundles: \(Self.quoted(bundles))") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A YAML double-quoted scalar, which a name with special characters needs.
    static func quoted(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._/-".unicodeScalars.contains($0))
        }
        if plain, text.unicodeScalars.first?.properties.isAlphabetic == true,
            !["true", "false", "null", "yes", "no"].contains(text.lowercased())
        {
            return text
        }
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case _ where scalar.value < 32 || scalar.value == 127:
                "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }
}
