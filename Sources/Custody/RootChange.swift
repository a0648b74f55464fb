import Access
import Audit
import Evidence
import Files
import Glibc
public import Home
import KeyManagement

/// Seals the ring under another root key.
///
/// The configuration that names it is written beside the present one, then the ring is sealed anew, then the
/// configuration takes its place: where that is cut off, opening the home finds the one that fits.
public enum RootChange {
    /// Changes the root key.
    ///
    /// - Parameters:
    ///   - home: the home; the caller holds its run lock.
    ///   - rootKey: where the new one comes from; a key file is made and must not exist yet.
    ///   - ask: asks for the new passphrase.
    ///   - job: the job's identity, for the evidence.
    /// - Returns: the file of the root key before, if it came from one: it opens older backups, and is left as it is.
    public static func run(
        _ home: Home, to rootKey: HomeConfiguration.RootKey, ask: @escaping Home.Ask, job: String
    ) throws -> String? {
        var configuration = home.configuration
        configuration.rootKey = rootKey
        if case .keyFile(let path) = rootKey { try KeyFileProvider(path: home.layout.resolve(path)).create() }
        try Array(configuration.text.utf8).withUnsafeBytes {
            try PrivateFile.write(home.layout.nextConfiguration, $0, replacing: true)
        }
        let cases = CaseFolder(path: home.layout.access) { [keeper = home.keeper] in try keeper.accessTag($0) }
        // Read under the key before: those of another key would not be believed.
        let requests = try cases.read().cases
        let keeper = try change(home, to: Home.provider(configuration, home.layout, ask: ask), job)
        // Another process that opened the home meanwhile has finished it in our place.
        guard
            rename(home.layout.nextConfiguration, home.layout.configuration) == 0
                || (try? HomeConfiguration(path: home.layout.configuration))?.rootKey == rootKey
        else {
            throw FileError.current(home.layout.configuration, "cannot rename into place")
        }
        try PrivateFile.syncDirectory(of: home.layout.configuration)
        let resealed = CaseFolder(path: home.layout.access) { try keeper.accessTag($0) }
        for request in requests { try resealed.write(request) }
        try EvidenceChain(path: home.layout.evidence).append(
            "root change", job: job, ["sequence": .number(Int64(keeper.keyring.ring.sequence))])
        guard case .keyFile(let former) = home.configuration.rootKey else { return nil }
        return home.layout.resolve(former)
    }

    /// Seals the ring anew, and the head of the audit log before that: at any instant it fits the key in force.
    private static func change(_ home: Home, to provider: any RootKeyProvider, _ job: String) throws -> RingKeeper {
        let log = try home.auditLog()
        var event = AuditEvent(
            .key, .begun, by: .own(),
            facts: [
                ("event", .text("root key changed")), ("job", .text(job)),
                ("ring", .number(Int64(home.keeper.keyring.ring.sequence + 1))),
            ])
        try log.append(event)
        try log.checkpoint()
        do {
            return try home.keeper.changeRoot(to: provider) { try log.prepare(for: $0.auditTag) }
        } catch {
            event.outcome = .failed
            event.reason = "\(error)"
            _ = try? log.append(event, synced: true)
            throw error
        }
    }

    /// A name for a new key file that is not taken.
    public static func freeKeyFile(_ layout: HomeLayout) -> String {
        var number = 2
        while PrivateFile.exists(layout.resolve("root-\(number).key")) { number += 1 }
        return "root-\(number).key"
    }
}
