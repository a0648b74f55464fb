public import Archives
import Audit
public import Cryptography
import Databases
import Evidence
import Files
import Glibc
public import Home
public import KeyManagement
import PostgreSQL
import SecretStores

/// Rebuilds a ring from bundles and a recovery key: after a loss of root key or key store, or in a fresh home for an old
/// copy of a store.
///
/// Everything is made beside its place, tried, and then put there, the ring last; what was there is put aside and never
/// deleted, and old bundles stay as they are.
public struct Recovery {
    /// What was found and done.
    public struct Outcome: Sendable {
        /// Generations that are on line now.
        public var onLine: [UInt32]
        /// Generations that stores need and no bundle gave.
        public var missing: [UInt32]
        /// Secrets that were opened to try it.
        public var opened: Int
        /// What an operator should know.
        public var notes: [String]
    }

    private let layout: HomeLayout
    private let key: RecoveryKey
    private let trusted: [Certificate]
    private let bundles: [String]

    /// - Parameters:
    ///   - layout: the home that lost its ring, or a folder that is not there yet.
    ///   - key: the recovery key; certificates of signers in its file count.
    ///   - signers: further signers that count.
    ///   - bundles: bundles, or folders that hold some, beside the home's own.
    /// - Throws: ``CustodyError`` with `usage` where nobody's signature counts: a certificate that merely lies in the home
    ///   may be anybody's who can write there.
    public init(_ layout: HomeLayout, key: RecoveryKey, signers: [Certificate], bundles: [String]) throws {
        self.layout = layout
        self.key = key
        trusted = signers + key.signers
        self.bundles = bundles
        guard trusted.isEmpty else { return }
        var hint = ""
        if let pem = try? PrivateFile.read(layout.signerCertificate, limit: 64 << 10),
            let found = try? Certificate(pem), let fingerprint = try? found.fingerprint()
        {
            hint =
                " (the home has \(layout.signerCertificate), SHA-256 \(hexadecimal(fingerprint)): compare it with a copy from elsewhere)"
        }
        throw CustodyError(
            .usage,
            "the key's file names no signer; name the certificate of who signed the bundles with --signer\(hint)")
    }

    private init(_ layout: HomeLayout, like other: Recovery) {
        self.layout = layout
        key = other.key
        trusted = other.trusted
        bundles = other.bundles
    }

    /// A suffix that nothing in the home has yet: two recoveries within a second do not put their old files in one place.
    private func unused(_ suffix: String) -> String {
        let taken = FolderListing.names(layout.path)
        var (found, next) = (suffix, 2)
        while taken.contains(where: { $0.hasSuffix(found) }) {
            found = "\(suffix)-\(next)"
            next += 1
        }
        return found
    }

    // MARK: In a home that lost its ring

    /// Rebuilds the ring of a home whose root key or key store is lost.
    ///
    /// - Parameters:
    ///   - replacesRing: rebuild it although the ring may only be waiting for its passphrase or its root key.
    ///   - ask: asks for the passphrase, where the root key comes from one; the new ring gets the same.
    /// - Throws: ``CustodyError``, `ArchiveError`; nothing was then changed.
    public func recover(replacesRing: Bool, ask: @escaping Home.Ask) throws -> Outcome {
        try PrivateFile.checkDirectory(layout.path)
        try PrivateFile.check(layout.configuration)
        let configuration = try HomeConfiguration(path: layout.configuration)
        let lock = try OwnerLock.take(layout.lock, owner: "keyroll recover, process \(getpid())")
        defer { withExtendedLifetime(lock) {} }
        for name in FolderListing.names(layout.path) where name.hasPrefix(Self.draftName) {
            Home.removeTree(layout.path + "/" + name)
        }
        let repository = try RepositoryKinds.open(configuration, layout)
        try refuseWhole(repository, configuration, replacesRing, ask)
        let group = try configuration.stores.first.map { try StoreKinds.look($0, layout).group }
        var found = try BundleCollection(
            [layout.resolve(configuration.bundles)].filter(PrivateFile.exists) + bundles, key: key, trusted: trusted,
            expected: group)
        let stores = try open(configuration.stores, &found)
        let hint = hint(repository)
        let plan = try RecoveryPlan(found, Self.look(stores), hint: hint, restoration: nil, now: .now)
        let opened = try rehearse(plan, found, stores)
        guard plan.missing.isEmpty || replacesRing else {
            throw CustodyError(
                .missing,
                "secrets need generation \(plan.missing.map(String.init).joined(separator: ", ")), which no bundle gave\(found.notes.first.map { " (\($0))" } ?? ""); name it with --bundle or its signer with --signer, or go on without it with --replace-ring"
            )
        }

        let draft = HomeLayout(layout.path + "/" + Self.draftName + String(UInt64.random(in: .min ... .max), radix: 16))
        try PrivateFile.makeDirectory(draft.path)
        defer { Home.removeTree(draft.path) }
        // A server that would refuse the ring at the end is asked before anything changes.
        let server = try RepositoryKinds.server(configuration)
        try server?.prepare(replacesRing: true)
        var made = configuration
        made.bundles = "bundles"
        var newRoot: (draft: String, place: String)?
        if case .keyFile(let file) = configuration.rootKey {
            let place = layout.resolve(file)
            made.rootKey = .keyFile(place)
            if !isUsable(place) {
                // Before anything changes: the new one has to have a place.
                guard access(PrivateFile.parent(of: place), W_OK) == 0 else {
                    throw FileError.current(PrivateFile.parent(of: place), "cannot put a new root key there")
                }
                // What an attempt that was cut off while it wrote one has left: it seals nothing.
                let parent = PrivateFile.parent(of: place)
                let prefix = String(place.dropFirst(parent.count).drop { $0 == "/" }) + ".new-"
                for name in FolderListing.names(parent) where name.hasPrefix(prefix) { unlink(parent + "/" + name) }
                newRoot = (draft.resolve("root.key"), place)
                made.rootKey = .keyFile("root.key")
                try KeyFileProvider(path: draft.resolve("root.key")).create()
            }
        }
        var outcome = try Recovery(draft, like: self).rebuild(
            plan, found, made, stores, copies: hint?.copies ?? [], opened, ask)
        // From here on the home changes. Bundles have names of their own, and the ring comes last: where this is cut off,
        // another recovery begins where this one did.
        let folder = layout.resolve(configuration.bundles)
        try PrivateFile.makeDirectory(folder)
        // What an attempt that was cut off here has left.
        for name in FolderListing.names(folder)
        where name.hasPrefix(BundleFile.stem(group: configuration.group)) && name.contains(BundleFile.suffix + ".new-")
        {
            unlink(folder + "/" + name)
        }
        for name in FolderListing.names(draft.path + "/bundles") {
            try PrivateFile.read(draft.path + "/bundles/" + name, limit: Bundle.limit)?.withUnsafeBytes {
                try PrivateFile.write(folder + "/" + name, $0, replacing: true)
            }
        }
        try PrivateFile.makeDirectory(PrivateFile.parent(of: layout.signerCertificate))
        try PrivateFile.read(draft.signerCertificate, limit: 64 << 10)?.withUnsafeBytes {
            try PrivateFile.write(layout.signerCertificate, $0, replacing: true)
        }
        let suffix = unused(".lost-\(Timestamp.now.rawValue)")
        // The head of the audit log is sealed under the root key: under another one nobody could go on with the log.
        let fresh = try RingKeeper.open(RepositoryKinds.files(draft), provider: Home.provider(made, draft, ask: ask))
        if try !AuditLog.fits(layout.audit, fresh.auditTag) {
            try move(layout.audit, to: layout.audit + suffix)
            outcome.notes.append(
                "\(layout.audit + suffix): the audit log that was there; another begins (verify it with: keyroll audit verify --signer PEM \(layout.audit + suffix))"
            )
        }
        if let server {
            guard let rebuilt = try RepositoryKinds.files(draft).load().lazy.compactMap({ try? $0.content.get() }).first
            else { throw KeyManagementError(.ringNotAuthentic, "\(draft.keys): the rebuilt ring cannot be read back") }
            try server.replace(with: rebuilt)
            outcome.notes.append("the ring that was in \(server.place) is in the table ring_aside there")
        } else {
            for path in [layout.keys, layout.keysCopy] where PrivateFile.exists(path) {
                try move(path, to: path + suffix)
                outcome.notes.append("\(path + suffix): the key store that was there; remove it once all is well")
            }
            try move(draft.keys, to: layout.keys)
            try move(draft.keysCopy, to: layout.keysCopy)
        }
        // Last: a root key that is not there says that a recovery is still wanted.
        if let newRoot {
            if PrivateFile.exists(newRoot.place) { try move(newRoot.place, to: newRoot.place + suffix) }
            let text = try SecretFile.read(newRoot.draft)
            try text.withUnsafeBytes { try PrivateFile.write(newRoot.place, $0, replacing: false) }
            outcome.notes.append("\(newRoot.place): a new root key; keep a copy of it elsewhere")
        }
        try record(outcome, RingKeeper.open(repository, provider: Home.provider(configuration, layout, ask: ask)))
        return outcome
    }

    private static let draftName = "recover.new-"

    /// Whether a root key's file is there and is one.
    private func isUsable(_ path: String) -> Bool {
        guard PrivateFile.exists(path) else { return false }
        do { _ = try KeyFileProvider(path: path).rootKey([]) } catch let error as KeyManagementError {
            return error.code != .rootKeyMalformed
        } catch { return true }
        return true
    }

    private func move(_ path: String, to target: String) throws {
        guard rename(path, target) == 0 else { throw FileError.current(path, "cannot move it to \(target)") }
        try PrivateFile.syncDirectory(of: target)
    }

    /// Refuses where the ring is not lost: it opens and has all that its stores need, or it may be only its passphrase or
    /// its root key that is not there now.
    private func refuseWhole(
        _ repository: any KeyRepository, _ configuration: HomeConfiguration, _ replacesRing: Bool,
        _ ask: @escaping Home.Ask
    ) throws {
        do { _ = try repository.load() } catch let error as FileError where error.code == .missing { return } catch let
            error as ServerFailure where error.code == .missing
        { return }
        if let next = try? HomeConfiguration(path: layout.nextConfiguration),
            (try? RingKeeper.open(repository, provider: Home.provider(next, layout, ask: ask))) != nil
        {
            throw CustodyError(
                .exists, "\(layout.path): a change of the root key was cut off; any other command finishes it")
        }
        do {
            let keeper = try RingKeeper.open(repository, provider: Home.provider(configuration, layout, ask: ask))
            for store in configuration.stores {
                do {
                    let opened = try StoreKinds.open(store, layout, group: keeper.keyring.ring.group)
                    try Home.check(opened, keeper.keyring.ring)
                } catch let error as StoreError where error.code == .foreignGenerations { return }
            }
        } catch let error as KeyManagementError {
            switch error.code {
            case .ringNotAuthentic: return
            case .wrongRootKey, .rootKeyMalformed, .rootKeyUnavailable:
                var isOutside = false
                if case .keyFile(let file) = configuration.rootKey { isOutside = file.hasPrefix("/") }
                guard error.code != .rootKeyUnavailable || isOutside || configuration.rootKey == .passphrase,
                    !replacesRing
                else { return }
                throw CustodyError(
                    .refused,
                    "the ring is whole, and only its root key does not fit or is not there: \(error); if it is lost for good, run it again with --replace-ring"
                )
            default: throw error
            }
        } catch let error as DatabaseFailure where error.code == .damaged { return }
        if replacesRing { return }
        throw CustodyError(.exists, "\(layout.path): its ring opens; there is nothing to recover")
    }

    /// What a ring that cannot be opened tells, the one that an earlier attempt put aside included.
    private func hint(_ repository: any KeyRepository) -> Ring? {
        let names = FolderListing.names(layout.path).filter {
            $0.hasPrefix("keys") && $0.contains(".lost-") && !$0.hasSuffix(".lock")
        }
        let aside = names.map {
            let path = layout.path + "/" + $0
            return SQLiteKeyRepository(path: path, copy: path, lock: layout.keys + ".lock")
        }
        return ([repository] + aside as [any KeyRepository]).compactMap { RingKeeper.unauthenticated($0) }.max {
            $0.sequence < $1.sequence
        }
    }

    // MARK: In a fresh home

    /// Makes a home that reads an old copy of a store, for a time.
    ///
    /// - Parameters:
    ///   - paths: the copies of stores.
    ///   - restoration: until when and why; nil to put the generations on line for good, as a recovery does.
    ///   - number: the generation that one of the bundles has to hold; nil for any.
    /// - Throws: ``CustodyError``, `ArchiveError`; nothing was then made.
    public func recover(
        into paths: [String], restoration: Restoration?, expecting number: UInt32?
    ) throws -> Outcome {
        guard try HomeDraft.isRoom(for: layout) else {
            throw CustodyError(.exists, "\(layout.path): is there already; nothing was changed")
        }
        var found = try BundleCollection(bundles, key: key, trusted: trusted)
        if let number, found.entries[number] == nil {
            throw ArchiveError(
                .otherGeneration,
                "\(bundles.joined(separator: ", ")): holds generation \(found.entries.keys.sorted().map(String.init).joined(separator: ", ")), not \(number)"
            )
        }
        let configured = HomeConfiguration.Store.files(paths.map(HomeLayout.absolute))
        let stores = try open(configured, &found)
        let plan = try RecoveryPlan(found, Self.look(stores), hint: nil, restoration: restoration, now: .now)
        let opened = try rehearse(plan, found, stores)
        if restoration != nil, opened == 0 {
            throw CustodyError(
                .doesNotBelong,
                "no secret of these stores is under generation \(found.entries.keys.sorted().map(String.init).joined(separator: ", ")); they need generation \(plan.missing.map(String.init).joined(separator: ", "))"
            )
        }
        let made = try HomeDraft(of: layout)
        let draft = made.layout
        do {
            try PrivateFile.makeDirectory(draft.reports)
            let configuration = HomeConfiguration(
                group: found.groupName, policy: .standard, rootKey: .keyFile("root.key"),
                stores: configured)
            try KeyFileProvider(path: draft.resolve("root.key")).create()
            let outcome = try Recovery(draft, like: self).rebuild(
                plan, found, configuration, stores, copies: [], opened, onlyReads: restoration != nil
            ) { throw KeyManagementError(.rootKeyUnavailable, "a fresh home's root key is in a file") }
            try Array(configuration.text.utf8).withUnsafeBytes {
                try PrivateFile.write(draft.configuration, $0, replacing: false)
            }
            try made.place()
            return outcome
        } catch {
            made.discard()
            throw error
        }
    }

    // MARK: Both

    private func open(
        _ stores: [HomeConfiguration.Store], _ found: inout BundleCollection
    ) throws -> [any SecretStore] {
        guard let group = found.group else {
            throw CustodyError(
                .missing,
                "no bundle could be opened with this key"
                    + (found.notes.first.map { ": \($0)" } ?? "; name some with --bundle"))
        }
        // All of them: which generations are still needed is known only where every store can be counted.
        return try stores.map { try StoreKinds.open($0, layout, group: group) }
    }

    private static func look(_ stores: [any SecretStore]) throws -> RecoveryPlan.Stores {
        var view = RecoveryPlan.Stores()
        for store in stores {
            let marks = try store.marks()
            view.fence = max(view.fence, marks.fence)
            view.census = try view.census + store.recount()
            for mark in marks.generations {
                if let known = view.marks[mark.number], known != mark {
                    throw CustodyError(
                        .doesNotBelong,
                        "\(store.place): knows another generation \(mark.number) than the other stores: they do not belong together"
                    )
                }
                view.marks[mark.number] = mark
            }
        }
        return view
    }

    /// Opens secrets with nothing but what the bundles gave, before anything is written.
    private func rehearse(
        _ plan: RecoveryPlan, _ found: BundleCollection, _ stores: [any SecretStore]
    ) throws -> Int {
        let trial = plan.generations.filter { $0.key != nil && $0.history.last?.state.mayUnprotect == true }
        guard let group = found.group, !trial.isEmpty else {
            throw CustodyError(
                .missing,
                "no bundle at hand holds a generation that the stores need"
                    + (found.notes.first.map { " (\($0))" } ?? ""))
        }
        let scratch = try RingKeeper.scratch(group: group, generations: trial)
        return try stores.reduce(0) { sum, store in
            let census = try store.recount()
            return try trial.filter { census[$0.number] > 0 }.reduce(sum) { sum, generation in
                // As far as it takes to find one.
                try sum
                    + Sampling.opened(store, number: generation.number, keeper: scratch, batches: .max, atMost: 16)
            }
        }
    }

    /// Makes the ring in one commit, and its bundles, in this layout.
    private func rebuild(
        _ plan: RecoveryPlan, _ found: BundleCollection, _ configuration: HomeConfiguration,
        _ stores: [any SecretStore], copies: [RegisteredCopy], _ opened: Int, onlyReads: Bool = false,
        _ ask: @escaping Home.Ask
    ) throws -> Outcome {
        let now = Timestamp.now
        var notes = found.notes
        var ring = RebuiltRing(
            group: try found.group ?? Identity.random(), name: configuration.group, policy: configuration.policy,
            generations: plan.generations.map { generation in
                var generation = generation
                generation.destruction = nil
                return generation
            })
        ring.copies = copies
        ring.formerSigners = trusted
        ring.onlyReads = onlyReads
        switch key.opener {
        case .symmetricKey(let shared, let identifier):
            ring.archiveKey = (shared, identifier)
            ring.archiveKeyIsProven = true
        case .privateKey(let privateKey, _):
            var certificates = found.recipients
            if let own = key.certificate, !certificates.contains(where: { $0.certificate == own }) {
                certificates.append(("recovery-key", own))
            }
            guard certificates.contains(where: { privateKey.belongs(to: $0.certificate) }) else {
                throw CustodyError(
                    .usage,
                    "the recovery key's certificate is neither in its file nor in the bundles; put it into the key's file (PEM), so that the new bundles can be encrypted to it"
                )
            }
        }
        ring.recipients = try recipients(found, now)
        notes += ring.recipients.filter { $0.proven == nil }.map {
            "recipient '\($0.name)' has to prove itself again: keyroll archive recipient prove \($0.name)"
        }
        notes.append(
            "there is a new signer: keep a copy of identity/signer.pem, and append it to the recovery key's file if that is PEM"
        )
        if case .privateKey = key.opener {
            notes.append("there is a new archive key; an exported copy of the one before opens older bundles only")
        }
        let keeper = try RingKeeper.rebuild(
            in: RepositoryKinds.files(layout), ring,
            provider: Home.provider(configuration, layout, ask: ask), at: now)
        try Home.writeCertificate(keeper, layout)
        let home = Home(layout: layout, configuration: configuration, keeper: keeper, stores: stores)
        let entries = found.entries.filter { entry in
            guard let generation = keeper.keyring.ring.generation(entry.key) else { return false }
            return generation.state != .destroyed
        }
        try home.escrow(
            entries.keys.sorted(), census: entries.compactMapValues { $0.bundle.manifest.census },
            material: entries.mapValues(\.key))
        // Only now: what is going to be destroyed has its bundle until then, too.
        let destructions = plan.generations.filter { $0.destruction != nil }
        if !destructions.isEmpty {
            try keeper.update { ring in
                for generation in destructions {
                    if let destruction = generation.destruction {
                        try ring.take(over: destruction, of: generation.number)
                    }
                }
            }
        }
        let onLine = keeper.keyring.ring.generations.filter { $0.sealed != nil }.map(\.number)
        return Outcome(onLine: onLine, missing: plan.missing, opened: opened, notes: notes)
    }

    /// The recipients of the bundles; the one whose key is at hand answers a challenge at once.
    private func recipients(_ found: BundleCollection, _ now: Timestamp) throws -> [Recipient] {
        var certificates = found.recipients
        if let own = key.certificate, !certificates.contains(where: { $0.certificate == own }) {
            certificates.append(
                (certificates.contains { $0.name == "recovery-key" } ? "recovery-key-2" : "recovery-key", own))
        }
        return try certificates.map { name, certificate in
            let recipient = try Recipient(name, certificate: certificate, at: now)
            guard case .privateKey(let privateKey, _) = key.opener, privateKey.belongs(to: certificate) else {
                return recipient
            }
            return try Challenge.proven(recipient, with: .privateKey(privateKey, certificate), at: now)
        }
    }

    private func record(_ outcome: Outcome, _ keeper: RingKeeper) throws {
        try EvidenceChain(path: layout.evidence).append(
            "recovery", job: "recovery-\(keeper.keyring.ring.epoch)",
            [
                "onLine": .list(outcome.onLine.map(String.init)), "missing": .list(outcome.missing.map(String.init)),
                "secretsOpened": .number(Int64(outcome.opened)),
            ])
        let ring = keeper.keyring.ring
        let log = try AuditLog(
            folder: layout.audit, group: ring.group, groupName: ring.name, signer: keeper.signer, seal: keeper.auditTag)
        try log.append(
            AuditEvent(
                .key, .done, by: .own(), reason: "the ring was built anew from bundles",
                facts: [
                    ("event", .text("recovered")), ("onLine", .list(outcome.onLine.map(String.init))),
                    ("missing", .list(outcome.missing.map(String.init))),
                    ("secretsOpened", .number(Int64(outcome.opened))), ("ring", .number(Int64(ring.sequence))),
                ]))
        try log.close()
    }
}
