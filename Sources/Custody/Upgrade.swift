import Databases
import Evidence
import Audit
import Files
public import Home
import KeyManagement

/// Brings a home that an older keyroll wrote up to the present formats.
public enum Upgrade {
    /// Upgrades, after a copy of the key store was put aside.
    ///
    /// - Parameters:
    ///   - layout: where the home lies.
    ///   - ask: asks for the passphrase, where the root key comes from one.
    ///   - job: the job's identity, for the evidence.
    /// - Returns: what was done, a line each; empty where all was of the present formats.
    public static func run(_ layout: HomeLayout, ask: @escaping Home.Ask, job: String) throws -> [String] {
        let home = try Home.open(layout, ask: ask, takesOlder: true)
        try home.requireAllStores("every store is looked at before an upgrade")
        let lock = try home.lock(for: "keyroll upgrade")
        defer { withExtendedLifetime(lock) {} }
        var done: [String] = []
        if try home.keeper.reload().ring.signer == nil {
            var aside = "\(layout.keys).format-1-\(Timestamp.now.rawValue)"
            // One that was cut off a moment ago may have left its own.
            while PrivateFile.exists(aside) { aside += "x" }
            // Nothing older was ever on a server.
            if home.configuration.repository == .sqlite {
                try SQLiteCopy.copy(layout.keys, to: aside)
                done.append("\(aside): the key store as it was")
            }
            try home.keeper.establishCustody(signer: nil, at: .now)
            done.append("the ring has a signer and an archive key now (format 2)")
        }
        if !PrivateFile.exists(layout.signerCertificate) { try Home.writeCertificate(home.keeper, layout) }
        // Also after an upgrade that was cut off: every generation on line has to be in a bundle.
        for generation in home.keeper.keyring.ring.generations
        where generation.sealed != nil && generation.escrow == nil {
            try home.escrow(generation.number)
            done.append("generation \(generation.number) is in a verified bundle now")
        }
        if !done.isEmpty {
            try EvidenceChain(path: layout.evidence).append("upgrade", job: job, ["done": .list(done)])
            try home.logJob("upgrade", job, facts: [("done", .list(done))])
        }
        return done
    }
}
