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
        guard try HomeDraft.isRoom(for: layout) else {
            throw HomeError(.exists, "\(layout.path): the folder is not empty; nothing was changed")
        }
        let draft = try HomeDraft(of: layout)
        do {
            let ring = try RingDraft(configuration, draft.layout)
            let number = try fill(draft.layout, configuration, ring, recoveryKey, signer, ask)
            do {
                try ring.publish()
                try draft.place()
            } catch {
                // A key that opens nothing must not be kept for one that does.
                if let recoveryKey { unlink(recoveryKey) }
                throw ring.takenBack(after: error)
            }
            return number
        } catch {
            draft.discard()
            throw error
        }
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
