public import Archives
public import Cryptography
import Databases
import Evidence
import Files
import Glibc
public import Home
public import KeyManagement
import SecretStores

/// Rebuilds a ring from bundles and a recovery key: after a loss of root key or key store, or in a fresh home for an old
/// copy of a store.
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
    ///   - key: the recovery key.
    ///   - signers: further signers that count, beside the home's own and those in the key's file.
    ///   - bundles: bundles, or folders that hold some, beside the home's own.
    public init(_ layout: HomeLayout, key: RecoveryKey, signers: [Certificate], bundles: [String]) throws {
        self.layout = layout
        self.key = key
        var trusted = signers + key.signers
        if PrivateFile.exists(layout.signerCertificate),
            let pem = try PrivateFile.read(layout.signerCertificate, limit: 64 << 10)
        {
            trusted.append(try Certificate(pem))
        }
        guard !trusted.isEmpty else {
            throw CustodyError(
                .usage, "nobody's signature is trusted here; name the signer's certificate with --signer")
        }
        self.trusted = trusted
        self.bundles = bundles
    }

    /// Rebuilds the ring of a home whose root key or key store is lost.
    ///
    /// - Parameter ask: asks for the passphrase, where the root key comes from one.
    /// - Throws: ``CustodyError``, `ArchiveError`; nothing was then changed.
    public func recover(ask: @escaping Home.Ask) throws -> Outcome {
        let configuration = try HomeConfiguration(path: layout.configuration)
        let lock = try OwnerLock.take(layout.lock, owner: "keyroll recover, process \(getpid())")
        defer { withExtendedLifetime(lock) {} }
        let repository = SQLiteKeyRepository(path: layout.keys, copy: layout.keysCopy)
        let provider = Home.provider(configuration, layout, ask: ask)
        let isLost = try isLost(repository, provider)
        guard isLost else {
            throw CustodyError(.exists, "\(layout.path): its ring opens; there is nothing to recover")
        }
        var found = try BundleCollection(
            [layout.resolve(configuration.bundles)].filter(PrivateFile.exists) + bundles, key: key, trusted: trusted)
        let stores = try open(configuration.stores.map { layout.resolve($0.path) }, &found)
        let plan = try RecoveryPlan(
            found, Self.look(stores), hint: RingKeeper.unauthenticated(repository), restoration: nil, now: .now)
        let opened = try rehearse(plan, found, stores)
        // From here on things change: what cannot be opened is put aside, never deleted.
        let suffix = ".lost-\(Timestamp.now.rawValue)"
        var notes = found.notes
        for path in [layout.keys, layout.keysCopy] where PrivateFile.exists(path) {
            guard rename(path, path + suffix) == 0 else { throw FileError.current(path, "cannot put it aside") }
            notes.append("\(path + suffix): the key store that could not be opened")
        }
        if case .keyFile(let file) = configuration.rootKey {
            let path = layout.resolve(file)
            if !PrivateFile.exists(path) {
                try KeyFileProvider(path: path).create()
                notes.append("\(path): a new root key; keep a copy of it elsewhere")
            }
        }
        return try rebuild(plan, found, configuration, stores, provider, opened, notes, job: "recover")
    }

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
        guard try !PrivateFile.isThere(layout.path) else {
            throw CustodyError(.exists, "\(layout.path): is there already; nothing was changed")
        }
        var found = try BundleCollection(bundles, key: key, trusted: trusted)
        if let number, found.entries[number] == nil {
            throw ArchiveError(
                .otherGeneration,
                "\(bundles.joined(separator: ", ")): holds generation \(found.entries.keys.sorted().map(String.init).joined(separator: ", ")), not \(number)"
            )
        }
        let stores = try open(paths, &found)
        let plan = try RecoveryPlan(found, Self.look(stores), hint: nil, restoration: restoration, now: .now)
        let opened = try rehearse(plan, found, stores)
        let draft = HomeLayout(PrivateFile.temporaryName(beside: layout.path))
        let inPlace = Recovery(draft, key, trusted, bundles)
        try PrivateFile.makeDirectory(draft.reports)
        do {
            let configuration = HomeConfiguration(
                group: found.groupName, policy: .standard, rootKey: .keyFile("root.key"),
                stores: paths.map { .init(path: HomeLayout.absolute($0)) })
            try KeyFileProvider(path: draft.resolve("root.key")).create()
            let outcome = try inPlace.rebuild(
                plan, found, configuration, stores, KeyFileProvider(path: draft.resolve("root.key")), opened,
                found.notes, job: restoration == nil ? "recover" : "restore")
            try Array(configuration.text.utf8).withUnsafeBytes {
                try PrivateFile.write(draft.configuration, $0, replacing: false)
            }
            guard rename(draft.path, layout.path) == 0 else {
                throw FileError.current(layout.path, "cannot move the new home into place")
            }
            try PrivateFile.syncDirectory(of: layout.path)
            return outcome
        } catch {
            Home.removeTree(draft.path)
            throw error
        }
    }

    private init(_ layout: HomeLayout, _ key: RecoveryKey, _ trusted: [Certificate], _ bundles: [String]) {
        self.layout = layout
        self.key = key
        self.trusted = trusted
        self.bundles = bundles
    }

    /// Whether the ring is lost for good: its root key is gone or another's, or no copy of it can be read.
    private func isLost(_ repository: SQLiteKeyRepository, _ provider: any RootKeyProvider) throws -> Bool {
        guard PrivateFile.exists(layout.keys) || PrivateFile.exists(layout.keysCopy) else { return true }
        do { _ = try RingKeeper.open(repository, provider: provider) } catch let error as KeyManagementError {
            switch error.code {
            case .wrongRootKey, .ringNotAuthentic, .rootKeyUnavailable, .rootKeyMalformed: return true
            default: throw error
            }
        } catch let error as DatabaseFailure where error.code == .damaged { return true }
        return false
    }

    private func open(_ paths: [String], _ found: inout BundleCollection) throws -> [any SecretStore] {
        guard let group = found.group else {
            throw CustodyError(
                .missing,
                "no bundle could be opened with this key"
                    + (found.notes.first.map { ": \($0)" } ?? "; name some with --bundle"))
        }
        return try paths.map { try SQLiteSecretStore.open($0, group: group) }
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
        var trial = plan.generations.filter { $0.key != nil }
        for index in trial.indices where trial[index].history.last?.state == .preActivation {
            trial[index].history.append(.init(state: .active, at: .now, sequence: 1, reason: "trial"))
        }
        guard let group = found.group, !trial.isEmpty else {
            throw CustodyError(.missing, "no bundle at hand holds a generation that the stores need")
        }
        let scratch = try RingKeeper.scratch(group: group, generations: trial)
        return try stores.reduce(0) { sum, store in
            try trial.reduce(sum) { sum, generation in
                try sum
                    + Sampling.opened(
                        store, number: generation.number, keeper: scratch, batches: 4, atMost: 64)
            }
        }
    }

    private func rebuild(
        _ plan: RecoveryPlan, _ found: BundleCollection, _ configuration: HomeConfiguration,
        _ stores: [any SecretStore], _ provider: any RootKeyProvider, _ opened: Int, _ notes: [String], job: String
    ) throws -> Outcome {
        let keeper = try RingKeeper.rebuild(
            in: SQLiteKeyRepository(path: layout.keys, copy: layout.keysCopy), group: found.group ?? Identity.random(),
            name: configuration.group, policy: configuration.policy, generations: plan.generations, provider: provider)
        var notes = notes
        let now = Timestamp.now
        try keeper.establishCustody(signer: nil, at: now)
        try keeper.trust(trusted)
        try Home.writeCertificate(keeper, layout)
        if let certificate = key.certificate {
            try prove(certificate, keeper, now)
            notes.append("the recovery key is a proven recipient of the new bundles")
        } else {
            notes.append("the new ring has no proven recipient; run: keyroll archive recipient add")
        }
        let home = Home(layout: layout, configuration: configuration, keeper: keeper, stores: stores)
        // Every bundle is written anew, for the recipients of the new ring.
        for (number, entry) in found.entries.sorted(by: { $0.key < $1.key })
        where keeper.keyring.ring.generation(number)?.state != .destroyed {
            try home.escrow(number, census: entry.bundle.manifest.census, material: entry.key)
        }
        let ring = keeper.keyring.ring
        let onLine = ring.generations.filter { $0.sealed != nil }.map(\.number)
        try EvidenceChain(path: layout.evidence).append(
            "recovery", job: job,
            [
                "onLine": .list(onLine.map(String.init)), "missing": .list(plan.missing.map(String.init)),
                "secretsOpened": .number(Int64(opened)),
            ])
        return Outcome(onLine: onLine, missing: plan.missing, opened: opened, notes: notes)
    }

    private func prove(_ certificate: Certificate, _ keeper: RingKeeper, _ now: Timestamp) throws {
        let recipient = try Recipient("recovery-key", certificate: certificate, at: now)
        let challenge = try Challenge(for: recipient, archiveKey: nil)
        let answer = try Challenge.answer(challenge.message, with: key.opener)
        try keeper.update { ring in
            try ring.add(recipient)
            try ring.challenge(recipient.name, expecting: challenge.answerDigest)
            try ring.prove(recipient.name, answer: answer, at: now)
        }
    }
}
