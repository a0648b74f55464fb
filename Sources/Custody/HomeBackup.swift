import Archives
import Audit
import Cryptography
import Databases
import Evidence
public import Files
import Glibc
public import Home
public import KeyManagement
import SecretStores

/// Consistent copies of a whole home, made while applications go on.
///
/// A backup is a folder that is a home itself. Stores are copied before the ring, so that the ring is never the older of
/// the two; the copy is registered before it gets its name, so that there is none that keyroll does not know of.
public enum HomeBackup {
    /// Copies a home.
    ///
    /// - Parameters:
    ///   - home: the home; the caller holds its run lock, so that nothing goes off line meanwhile.
    ///   - path: a folder that must not exist yet.
    ///   - includesRoot: copy the root key's file as well: who has the copy then has everything.
    ///   - keepUntil: until when it is kept; nil for ever.
    ///   - job: the job's identity, for the evidence.
    /// - Returns: what was registered.
    public static func create(
        _ home: Home, at path: String, includesRoot: Bool, keepUntil: Timestamp?, job: String
    ) throws -> RegisteredCopy {
        try home.requireAllStores("a backup would lack its secrets")
        guard try !PrivateFile.isThere(path) else {
            throw CustodyError(.exists, "\(path): is there already; a backup never overwrites one")
        }
        if includesRoot, case .passphrase = home.configuration.rootKey {
            throw CustodyError(.usage, "the root key comes from a passphrase; there is no file to take along")
        }
        // What a killed backup left behind under this name, the root key perhaps.
        let parent = PrivateFile.parent(of: path)
        let prefix = String(path.dropFirst(parent.count).drop { $0 == "/" }) + ".new-"
        for name in FolderListing.names(parent) where name.hasPrefix(prefix) { Home.removeTree(parent + "/" + name) }
        let draft = HomeLayout(PrivateFile.temporaryName(beside: path))
        try PrivateFile.makeDirectory(draft.path)
        do {
            let copy = try fill(draft, home, path, includesRoot, keepUntil)
            try home.keeper.update { $0.register(copy) }
            guard rename(draft.path, path) == 0 else { throw FileError.current(path, "cannot rename into place") }
            try PrivateFile.syncDirectory(of: path)
            try EvidenceChain(path: home.layout.evidence).append(
                "backup", job: job,
                [
                    "copy": .text(copy.identity.description), "place": .text(path),
                    "hasRootKey": .flag(includesRoot), "keys": .list(copy.keys.map(String.init)),
                ])
            try home.logJob(
                "backup", job,
                facts: [
                    ("copy", .text(copy.identity.description)), ("place", .text(path)),
                    ("hasRootKey", .flag(includesRoot)),
                ])
            return copy
        } catch {
            Home.removeTree(draft.path)
            throw error
        }
    }

    private static func fill(
        _ draft: HomeLayout, _ home: Home, _ path: String, _ includesRoot: Bool, _ keepUntil: Timestamp?
    ) throws -> RegisteredCopy {
        let now = Timestamp.now
        var configuration = home.configuration
        var census = Census()
        for (index, store) in home.stores.enumerated() {
            // In the copy every store is a file below the folder, wherever and whatever the original is.
            let name = index == 0 ? "secrets.sqlite" : "secrets-\(index + 1).sqlite"
            try store.copy(to: draft.path + "/" + name)
            configuration.stores[index].kind = .sqlite(path: name)
            let copied = try StoreKinds.open(configuration.stores[index], draft, group: store.group)
            census = try census + copied.recount()
            try Home.check(copied, home.keeper.reload().ring)
        }
        let ring = try home.keeper.reload().ring
        if configuration.repository == .sqlite {
            for target in [draft.keys, draft.keysCopy] { try SQLiteCopy.copy(home.layout.keys, to: target) }
        } else {
            // In the copy the ring is in files, too, wherever the original is.
            configuration.repository = .sqlite
            try home.keeper.copy(to: RepositoryKinds.files(draft))
        }
        configuration.bundles = "bundles"
        try copyBundles(home, ring, to: draft.path + "/bundles")
        try copyFolder(
            PrivateFile.parent(of: home.layout.signerCertificate), to: draft.path + "/identity")
        if case .keyFile(let file) = configuration.rootKey {
            configuration.rootKey = .keyFile("root.key")
            if includesRoot {
                let root = try SecretFile.read(home.layout.resolve(file))
                try root.withUnsafeBytes { try PrivateFile.write(draft.path + "/root.key", $0, replacing: false) }
            }
        }
        if let evidence = try evidence(home) {
            try evidence.withUnsafeBytes { try PrivateFile.write(draft.evidence, $0, replacing: false) }
        }
        try Array(configuration.text.utf8).withUnsafeBytes {
            try PrivateFile.write(draft.configuration, $0, replacing: false)
        }
        return RegisteredCopy(
            identity: try Identity.random(), kind: "home", place: path, at: now, keepUntil: keepUntil,
            secrets: census.counts, hasRootKey: includesRoot,
            keys: ring.generations.filter { $0.sealed != nil }.map(\.number),
            bundles: ring.generations.filter { $0.escrow != nil && $0.state != .destroyed }.map(\.number))
    }

    /// Every bundle that the ring knows of, and each verified: a backup without the archived keys would be none.
    private static func copyBundles(_ home: Home, _ ring: Ring, to target: String) throws {
        try PrivateFile.makeDirectory(target)
        for generation in ring.generations where generation.state != .destroyed {
            guard let escrow = generation.escrow else {
                guard generation.isArchived, !ring.onlyReads else { continue }
                throw CustodyError(
                    .missing,
                    "generation \(generation.number) is neither on line nor in a bundle that is known; a backup would lose it"
                )
            }
            try home.verifyBundle(generation.number)
            try BundleFile.read(home.bundlesPath + "/" + escrow.file).withUnsafeBytes {
                try PrivateFile.write(target + "/" + escrow.file, $0, replacing: false)
            }
        }
    }

    private static func evidence(_ home: Home) throws -> [UInt8]? {
        guard PrivateFile.exists(home.layout.evidence) else { return nil }
        return try PrivateFile.read(home.layout.evidence, limit: 1 << 30)
    }

    private static func copyFolder(_ source: String, to target: String) throws {
        try PrivateFile.makeDirectory(target)
        for name in FolderListing.names(source) {
            guard let bytes = try PrivateFile.read(source + "/" + name, limit: 1 << 24) else { continue }
            try bytes.withUnsafeBytes { try PrivateFile.write(target + "/" + name, $0, replacing: false) }
        }
    }

    /// Makes a home from a backup.
    ///
    /// - Parameters:
    ///   - backup: the backup's folder.
    ///   - layout: where to; nothing or an empty folder may be there.
    ///   - rootKey: the root key's file, where the backup holds none.
    ///   - ask: asks for the passphrase, where the root key comes from one.
    /// - Throws: what opening the copy throws, before anything is in place.
    public static func restore(
        _ backup: HomeLayout, to layout: HomeLayout, rootKey: String?, ask: @escaping Home.Ask
    ) throws {
        guard try PrivateFile.isThere(backup.configuration) else {
            throw CustodyError(.missing, "\(backup.path): is no backup of keyroll: it has no keyroll.yaml")
        }
        guard try HomeDraft.isRoom(for: layout) else {
            throw CustodyError(.exists, "\(layout.path): is there already; move it aside first, nothing was changed")
        }
        let configuration = try HomeConfiguration(path: backup.configuration)
        let files = try configuration.stores.map { store in
            guard case .sqlite(let path) = store.kind else {
                throw CustodyError(
                    .doesNotBelong, "\(backup.path): its store '\(store.name)' is on a server; it is no backup")
            }
            return path
        }
        guard configuration.repository == .sqlite else {
            throw CustodyError(.doesNotBelong, "\(backup.path): its ring is on a server; it is no backup")
        }
        var names = files + [configuration.bundles]
        if case .keyFile(let file) = configuration.rootKey { names.append(file) }
        guard names.allSatisfy({ !$0.contains("/") && $0 != ".." && $0 != "." }) else {
            throw CustodyError(
                .doesNotBelong, "\(backup.path): its keyroll.yaml names files outside it; it is no backup")
        }
        let made = try HomeDraft(of: layout)
        let draft = made.layout
        do {
            for name in files {
                try SQLiteCopy.copy(backup.path + "/" + name, to: draft.path + "/" + name)
            }
            for (source, target) in [(backup.keys, draft.keys), (backup.keysCopy, draft.keysCopy)]
            where PrivateFile.exists(source) { try SQLiteCopy.copy(source, to: target) }
            for folder in [configuration.bundles, "identity"] {
                try copyFolder(backup.path + "/" + folder, to: draft.path + "/" + folder)
            }
            try PrivateFile.makeDirectory(draft.reports)
            if PrivateFile.exists(backup.evidence), let bytes = try PrivateFile.read(backup.evidence, limit: 1 << 30) {
                try bytes.withUnsafeBytes { try PrivateFile.write(draft.evidence, $0, replacing: false) }
            }
            if case .keyFile(let file) = configuration.rootKey {
                let source = rootKey ?? backup.resolve(file)
                guard PrivateFile.exists(source) else {
                    throw CustodyError(.missing, "\(backup.path): holds no root key; name its file with --root-key")
                }
                let root = try SecretFile.read(source)
                try root.withUnsafeBytes { try PrivateFile.write(draft.resolve(file), $0, replacing: false) }
            }
            try Array(configuration.text.utf8).withUnsafeBytes {
                try PrivateFile.write(draft.configuration, $0, replacing: false)
            }
            // Nothing is put into place that does not open.
            _ = try Home.open(draft, ask: ask)
            try made.place()
        } catch {
            made.discard()
            throw error
        }
    }
}
