import Archives
import Audit
public import Cryptography
import Files
import Glibc
public import KeyManagement
import Protection
import SecretStores

extension Home {
    /// Makes a home with a first, active generation.
    ///
    /// Everything is made in a folder beside it and renamed into place, so that a home is there whole or not at all.
    ///
    /// - Parameters:
    ///   - layout: where; nothing or an empty folder may be there.
    ///   - configuration: group, policy, root key provider.
    ///   - recoveryKey: a file that a new recovery key goes to, to be kept elsewhere; its holder counts as proven.
    ///   - signer: the operator's own certificate and key for bundles and reports; nil for new ones.
    ///   - ask: asks for the new passphrase, where the root key comes from one.
    /// - Returns: the first generation's number.
    /// - Throws: ``HomeError`` with `exists`, `FileError`, `KeyManagementError`, `ArchiveError`.
    @discardableResult
    public static func create(
        _ layout: HomeLayout, configuration: HomeConfiguration, recoveryKey: String? = nil,
        signer: (certificate: Certificate, key: PrivateKey)? = nil, ask: @escaping Ask
    ) throws -> UInt32 {
        guard !PrivateFile.exists(layout.configuration) else {
            throw HomeError(.exists, "\(layout.path): there is a keyroll home already; nothing was changed")
        }
        try PrivateFile.makeDirectory(PrivateFile.parent(of: layout.path))
        let draft = try makeDraft(of: layout)
        do {
            let ring = try RingDraft(configuration, draft)
            let number = try fill(draft, configuration, ring, recoveryKey, signer, ask)
            do {
                try ring.publish()
                try move(draft, to: layout)
            } catch {
                // A key that opens nothing must not be kept for one that does.
                if let recoveryKey { unlink(recoveryKey) }
                throw ring.takenBack(after: error)
            }
            try PrivateFile.syncDirectory(of: layout.path)
            return number
        } catch {
            removeTree(draft.path)
            throw error
        }
    }

    /// A folder beside the home's; or inside it, where the home's folder is all that this user may write, as with a
    /// service's `/var/lib/keyroll`.
    private static func makeDraft(of layout: HomeLayout) throws -> HomeLayout {
        let draft = PrivateFile.temporaryName(beside: layout.path)
        if mkdir(draft, 0o700) == 0 { return HomeLayout(draft) }
        let number = errno
        let failure = FileError.current(draft, "cannot make the folder")
        guard number == EACCES || number == EROFS, PrivateFile.exists(layout.path) else { throw failure }
        try PrivateFile.checkDirectory(layout.path)
        guard FolderListing.names(layout.path).isEmpty else { throw notEmpty(layout) }
        let inside = PrivateFile.temporaryName(beside: layout.path + "/home")
        guard mkdir(inside, 0o700) == 0 else { throw failure }
        return HomeLayout(inside)
    }

    private static func notEmpty(_ layout: HomeLayout) -> HomeError {
        HomeError(.exists, "\(layout.path): the folder is not empty; nothing was changed")
    }

    private static func move(_ draft: HomeLayout, to layout: HomeLayout) throws {
        if PrivateFile.parent(of: draft.path) == layout.path { return try moveUp(draft, to: layout) }
        guard rename(draft.path, layout.path) != 0 else { return }
        if errno == ENOTEMPTY || errno == EEXIST { throw notEmpty(layout) }
        throw FileError.current(layout.path, "cannot move the new home into place")
    }

    /// File by file out of a draft that is inside the home's folder. The configuration comes last: without it there is no
    /// home, and whoever looks says so.
    private static func moveUp(_ draft: HomeLayout, to layout: HomeLayout) throws {
        let last = draft.configuration.dropFirst(draft.path.count + 1)
        for name in FolderListing.names(draft.path).filter({ $0 != last }) + [String(last)] {
            guard !PrivateFile.exists(layout.path + "/" + name) else { throw notEmpty(layout) }
            guard rename(draft.path + "/" + name, layout.path + "/" + name) == 0 else {
                throw FileError.current(layout.path, "cannot move the new home into place")
            }
        }
        rmdir(draft.path)
        try PrivateFile.syncDirectory(of: layout.configuration)
    }

    private static func fill(
        _ draft: HomeLayout, _ configuration: HomeConfiguration, _ drafted: RingDraft, _ recoveryKey: String?,
        _ signer: (certificate: Certificate, key: PrivateKey)?, _ ask: @escaping Ask
    ) throws -> UInt32 {
        try PrivateFile.makeDirectory(draft.reports)
        try PrivateFile.makeDirectory(draft.resolve(configuration.bundles))
        if case .keyFile(let path) = configuration.rootKey {
            try KeyFileProvider(path: draft.resolve(path)).create()
        }
        let keeper = try RingKeeper.create(
            in: drafted.repository, name: configuration.group,
            policy: configuration.policy, provider: provider(configuration, draft, ask: ask))
        let now = Timestamp.now
        try keeper.establishCustody(signer: signer, at: now)
        try writeCertificate(keeper, draft)
        let group = keeper.keyring.ring.group
        let stores = try configuration.stores.map { try StoreKinds.create($0, draft, group: group) }
        let home = Home(layout: draft, configuration: configuration, keeper: keeper, stores: stores)
        try home.auditLog().append(
            AuditEvent(
                .key, .done, by: .own(), reason: "the home was made",
                facts: [
                    ("event", .text("group created")), ("group", .text(group.description)),
                    ("name", .text(configuration.group)),
                ]))
        if let recoveryKey { try home.addRecoveryKey(recoveryKey, at: now) }
        do {
            let number = try home.publish(reason: "the home was made")
            try keeper.update { try $0.activate(number, at: now, reason: "the home was made") }
            for store in stores {
                if let active = keeper.keyring.ring.active { try store.raiseFence(to: GenerationMark(active)) }
                try StoreKinds.settle(store)
            }
            // The folder is about to get another name.
            try home.audit.close()
            try Array(configuration.text.utf8).withUnsafeBytes {
                try PrivateFile.write(draft.configuration, $0, replacing: false)
            }
            return number
        } catch {
            // A key that opens nothing must not be kept for one that does.
            if let recoveryKey { unlink(recoveryKey) }
            throw error
        }
    }

    /// Puts the signer's certificate where others find it, to pin it.
    public static func writeCertificate(_ keeper: RingKeeper, _ layout: HomeLayout) throws {
        guard let certificate = try keeper.trustedSigners().first else { return }
        try PrivateFile.makeDirectory(PrivateFile.parent(of: layout.signerCertificate))
        try certificate.pem().withUnsafeBytes {
            try PrivateFile.write(layout.signerCertificate, $0, replacing: true)
        }
    }

    /// Makes a recovery key, reads its file back, and lets it answer a challenge.
    private func addRecoveryKey(_ path: String, at now: Timestamp) throws {
        let certificate = try RecoveryKey.create(
            path, group: configuration.group, signer: keeper.signer().certificate, now: now.rawValue)
        let recipient = try Challenge.proven(
            Recipient("recovery-key", certificate: certificate, at: now), with: RecoveryKey.read(path, ask: nil).opener,
            at: now)
        try keeper.update { try $0.add(recipient) }
    }

    /// Removes a draft that came to nothing; its files are this process's own.
    public static func removeTree(_ path: String) {
        for name in FolderListing.names(path) where unlink(path + "/" + name) != 0 {
            removeTree(path + "/" + name)
        }
        rmdir(path)
    }
}
