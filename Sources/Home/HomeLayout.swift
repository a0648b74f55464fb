import Glibc

/// Where the files of a home lie.
public struct HomeLayout: Sendable {
    /// The home's folder.
    public let path: String

    /// - Parameter path: the home's folder.
    public init(_ path: String) { self.path = path }

    /// Group, policy, stores, root key provider.
    public var configuration: String { path + "/keyroll.yaml" }
    /// The ring.
    public var keys: String { path + "/keys.sqlite" }
    /// The ring's second copy.
    public var keysCopy: String { path + "/keys-copy.sqlite" }
    /// The run lock.
    public var lock: String { path + "/job.lock" }
    /// The signer's certificate, for others to pin.
    public var signerCertificate: String { path + "/identity/signer.pem" }
    /// What was done and found, each record with the hash of the one before.
    public var evidence: String { path + "/evidence.jsonl" }
    /// The audit log.
    public var audit: String { path + "/audit" }
    /// A configuration that is about to take the place of the present one.
    public var nextConfiguration: String { path + "/keyroll.yaml.next" }
    /// Run reports.
    public var reports: String { path + "/reports" }

    /// A path in the configuration: absolute, or below the home.
    public func resolve(_ name: String) -> String { name.hasPrefix("/") ? name : path + "/" + name }

    /// The home to use: the option, else `KEYROLL_HOME`, else `/var/lib/keyroll` for root and the service user, else
    /// `$XDG_STATE_HOME/keyroll`, which is `~/.local/state/keyroll` by default.
    public static func locate(option: String?) -> HomeLayout {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        if let option { return HomeLayout(absolute(option)) }
        if let chosen = variable("KEYROLL_HOME") { return HomeLayout(absolute(chosen)) }
        let user = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
        if geteuid() == 0 || user == "keyroll" { return HomeLayout("/var/lib/keyroll") }
        let state = variable("XDG_STATE_HOME") ?? (variable("HOME") ?? ".") + "/.local/state"
        return HomeLayout(absolute(state + "/keyroll"))
    }

    /// A path from the root, links resolved where it is there.
    public static func absolute(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        // A link to a home is as good as the home: what is checked is what it leads to.
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }
}
