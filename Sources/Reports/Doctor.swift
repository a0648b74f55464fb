import Cryptography
import Custody
import Files
import Glibc
public import Home
import KeyManagement
import SecretStores

/// Looks for what is wrong with a home, and says what to do. It changes nothing, except that a damaged copy of the
/// ring is written anew from the other one when the home is opened.
public struct Doctor: Sendable {
    /// What was found, a line each.
    public private(set) var findings: [String] = []
    /// What was looked at and is right, a line each.
    public private(set) var passed: [String] = []

    /// - Parameters:
    ///   - layout: where the home lies.
    ///   - ask: asks for the passphrase, where the root key comes from one.
    public init(_ layout: HomeLayout, ask: @escaping Home.Ask) throws {
        guard try PrivateFile.isThere(layout.configuration) else {
            throw HomeError(
                .noHome, "\(layout.path): no keyroll home here; run: keyroll init, or name another with --home")
        }
        checkModes(layout)
        let home: Home
        do { home = try Home.open(layout, ask: ask) } catch {
            findings.append("\(error)")
            return
        }
        passed.append("root key, ring and its copy are authentic and belong together")
        for line in home.keeper.repaired { findings.append(line) }
        checkClock(home)
        findings += home.unreachable.map(\.line)
        for store in home.stores { try check(store, home) }
        if let line = try DoubledNames(home).line { findings.append(line + "; see: keyroll list --json") }
        checkBundles(home)
    }

    private mutating func checkModes(_ layout: HomeLayout) {
        var bad = 0
        func note(_ body: () throws -> Void) {
            do { try body() } catch {
                bad += 1
                findings.append("\(error)")
            }
        }
        note { try PrivateFile.checkDirectory(layout.path) }
        let names = FolderListing.names(layout.path)
        for name in names {
            let path = layout.path + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                note { try PrivateFile.checkDirectory(path) }
            } else {
                note { try PrivateFile.check(path) }
            }
        }
        if bad == 0 { passed.append("files and folders are private (\(names.count) looked at)") }
    }

    private mutating func checkClock(_ home: Home) {
        let newest = home.keeper.keyring.ring.generations.flatMap { $0.history.map(\.at) }.max()
        if let newest, newest > .now {
            findings.append(
                "the clock stands at \(Timestamp.now), before the ring's last change at \(newest): set it, or nothing comes due until then"
            )
        } else {
            passed.append("the clock is not behind the ring's last change")
        }
    }

    private mutating func checkBundles(_ home: Home) {
        for name in FolderListing.names(home.layout.path) where name.hasPrefix("recover.new-") {
            findings.append(
                "\(home.layout.path)/\(name): left by a recovery that was cut off, a root key perhaps in it; remove it")
        }
        var good = 0
        let ring = home.keeper.keyring.ring
        if let pem = try? PrivateFile.read(home.layout.signerCertificate, limit: 64 << 10),
            let certificate = try? Certificate(pem), certificate.der == ring.signer?.certificate
        {
            passed.append("\(home.layout.signerCertificate) is the ring's signer")
        } else {
            findings.append(
                "\(home.layout.signerCertificate) is not the ring's signer: whoever pins it trusts somebody else")
        }
        for generation in ring.generations where generation.state == .destroyed {
            for path in home.bundles(of: generation) {
                findings.append(
                    "\(path): the bundle of destroyed generation \(generation.number) is still there; run: keyroll generation destroy \(generation.number) --confirm \(generation.number)"
                )
            }
        }
        for generation in ring.generations where generation.state != .destroyed {
            guard generation.escrow != nil || !generation.isArchived else {
                if generation.destruction == nil, !ring.onlyReads {
                    findings.append(
                        "generation \(generation.number) is neither on line nor in a bundle that is known: put its bundle back and run: keyroll recover"
                    )
                }
                continue
            }
            guard generation.escrow != nil else {
                findings.append("generation \(generation.number) is in no bundle; run: keyroll rotate")
                continue
            }
            do {
                try home.verifyBundle(generation.number)
                good += 1
            } catch { findings.append("\(error)") }
        }
        do {
            _ = try home.evidence()
            passed.append("\(good) bundles are what the ring noted and open; the evidence is one chain")
        } catch { findings.append("\(error)") }
    }

    private mutating func check(_ store: any SecretStore, _ home: Home) throws {
        let ring = home.keeper.keyring.ring
        let found = try store.inspect(limit: 100)
        findings += found
        let counted = try store.recount()
        let kept = try store.census()
        if counted != kept {
            let numbers = Set(counted.counts.keys).union(kept.counts.keys).sorted()
            for number in numbers where counted[number] != kept[number] {
                findings.append(
                    "\(store.place): generation \(number) protects \(counted[number]) secrets, the counter says \(kept[number]): slots were altered from outside; run: keyroll verify"
                )
            }
        } else if found.isEmpty {
            passed.append("\(store.place): pages are whole, counters are right (\(counted.total) secrets)")
        }
        for (number, count) in counted.counts.sorted(by: { $0.key < $1.key }) where ring.generation(number) == nil {
            findings.append("\(store.place): \(count) secrets name generation \(number), which the ring does not have")
        }
        if let active = ring.active, try store.marks().fence != active.number {
            findings.append(
                "\(store.place): the fence stands at generation \(try store.marks().fence), \(active.number) is active; run: keyroll rotate"
            )
        }
        let open = try store.openQuarantineCount()
        if open > 0 {
            findings.append("\(store.place): \(open) secrets are quarantined; see: keyroll quarantine list")
        }
    }
}
