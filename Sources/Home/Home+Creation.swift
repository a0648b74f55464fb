import Files
import Glibc
import KeyManagement
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
    ///   - ask: asks for the new passphrase, where the root key comes from one.
    /// - Returns: the first generation's number.
    /// - Throws: ``HomeError`` with `exists`, `FileError`, `KeyManagementError`.
    @discardableResult
    public static func create(
        _ layout: HomeLayout, configuration: HomeConfiguration, ask: @escaping Ask
    ) throws -> UInt32 {
        guard !PrivateFile.exists(layout.configuration) else {
            throw HomeError(.exists, "\(layout.path): there is a keyroll home already; nothing was changed")
        }
        let draft = HomeLayout(PrivateFile.temporaryName(beside: layout.path))
        try PrivateFile.makeDirectory(PrivateFile.parent(of: layout.path))
        guard mkdir(draft.path, 0o700) == 0 else { throw FileError.current(draft.path, "cannot make the folder") }
        do {
            let number = try fill(draft, configuration, ask)
            guard rename(draft.path, layout.path) == 0 else {
                if errno == ENOTEMPTY || errno == EEXIST {
                    throw HomeError(.exists, "\(layout.path): the folder is not empty; nothing was changed")
                }
                throw FileError.current(layout.path, "cannot move the new home into place")
            }
            try PrivateFile.syncDirectory(of: layout.path)
            return number
        } catch {
            remove(draft.path)
            throw error
        }
    }

    private static func fill(
        _ draft: HomeLayout, _ configuration: HomeConfiguration, _ ask: @escaping Ask
    ) throws -> UInt32 {
        try PrivateFile.makeDirectory(draft.reports)
        if case .keyFile(let path) = configuration.rootKey {
            try KeyFileProvider(path: draft.resolve(path)).create()
        }
        let keeper = try RingKeeper.create(
            in: SQLiteKeyRepository(path: draft.keys, copy: draft.keysCopy), name: configuration.group,
            policy: configuration.policy, provider: provider(configuration, draft, ask: ask))
        let now = Timestamp.now
        let number = try keeper.publish(above: 0, at: now, reason: "the home was made")
        try keeper.update { try $0.activate(number, at: now, reason: "the home was made") }
        let ring = keeper.keyring.ring
        for store in configuration.stores {
            let made = try SQLiteSecretStore.create(draft.resolve(store.path), group: ring.group)
            if let active = ring.active { try made.raiseFence(to: GenerationMark(active)) }
            try made.emptyLog()
        }
        try Array(configuration.text.utf8).withUnsafeBytes {
            try PrivateFile.write(draft.configuration, $0, replacing: false)
        }
        return number
    }

    /// Removes a draft that came to nothing; its files are this process's own.
    private static func remove(_ path: String) {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            if unlink(path + "/" + name) != 0 { rmdir(path + "/" + name) }
        }
        closedir(directory)
        rmdir(path)
    }
}
