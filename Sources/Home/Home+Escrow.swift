public import Archives
public import Cryptography
import Files
import Glibc
import KeyManagement
import SecretStores

/// New generations, and the bundles that hold them.
extension Home {
    /// Publishes a new generation above everything that ring, stores and bundles have seen, and escrows it.
    public func publish(reason: String) throws -> UInt32 {
        let stored = try stores.map { try $0.marks().generations.last?.number ?? 0 }.max() ?? 0
        let number = try keeper.publish(above: max(stored, highestBundled()), at: .now, reason: reason)
        try escrow(number)
        return number
    }

    /// The path of a generation's bundle.
    public func bundlePath(_ number: UInt32) -> String {
        bundlesPath + "/" + BundleFile.name(group: keeper.keyring.ring.name, number: number)
    }

    /// Writes a generation's bundle for the present recipients, verifies what then lies on the disk, opens it with the
    /// archive key, and notes it in the ring.
    ///
    /// - Parameters:
    ///   - number: the generation; an archived one is taken from its present bundle.
    ///   - census: what it still protects, where it is being retired.
    ///   - material: its key, where neither ring nor bundle gives it.
    /// - Throws: `ArchiveError`, `FileError`, `KeyManagementError` with `noSuchGeneration`.
    public func escrow(
        _ number: UInt32, census: Manifest.Census? = nil, material: RecipientEnvelope.SharedKey? = nil
    ) throws {
        let keyring = keeper.keyring
        guard let generation = keyring.ring.generation(number) else {
            throw KeyManagementError(
                .noSuchGeneration,
                "group \(keyring.ring.name) has no generation \(number); see: keyroll generation list")
        }
        guard generation.state != .destroyed, generation.destruction == nil else {
            throw KeyManagementError(
                .transitionRefused, "generation \(number) is destroyed, or its destruction was asked for")
        }
        let now = Timestamp.now
        let archiveKey = try keeper.archiveKey()
        var census = census
        let key: RecipientEnvelope.SharedKey
        if let material {
            key = material
        } else if !generation.isArchived, let present = keyring.key(number) {
            key = RecipientEnvelope.SharedKey(try SecureBytes(copyingKey: present))
        } else {
            // Whichever bundle of this generation lies there: after a crash it may be a newer one than the ring noted.
            let present = try loadBundle(number)
            try present.check(isOf: generation, group: keyring.ring.group)
            census = present.manifest.census
            key = try present.open(
                with: .symmetricKey(archiveKey.key, identifier: archiveKey.identifier)
            ).key
        }
        let bytes = try Bundle.make(
            generation, of: keyring.ring, key: key, census: census, archiveKey: archiveKey.key,
            signer: keeper.signer(), at: now)
        if !PrivateFile.exists(bundlesPath) { try PrivateFile.makeDirectory(bundlesPath) }
        try removeDrafts()
        let path = bundlePath(number)
        var digest: [UInt8] = []
        try BundleFile.write(path, bytes) { stored in
            let bundle = try Bundle(stored, place: path, trusted: keeper.trustedSigners())
            try check(bundle, generation, opener: .symmetricKey(archiveKey.key, identifier: archiveKey.identifier))
            digest = bundle.digest
        }
        let escrow = Escrow(
            file: BundleFile.name(group: keyring.ring.name, number: number), digest: digest, written: now,
            recipients: keyring.ring.recipients.map(\.fingerprint), rehearsed: now)
        try keeper.update { try $0.note(escrow, of: number) }
    }

    /// Verifies a generation's bundle as it lies on the disk: it is the file that the ring noted, signed, and opens with
    /// the archive key to the key that the ring knows.
    ///
    /// - Returns: the bundle.
    /// - Throws: `ArchiveError`, `FileError`.
    @discardableResult
    public func verifyBundle(_ number: UInt32) throws -> Bundle {
        let bundle = try loadBundle(number)
        guard let generation = keeper.keyring.ring.generation(number), bundle.digest == generation.escrow?.digest else {
            throw ArchiveError(
                .otherGeneration,
                "\(bundle.place): is not the bundle that was verified last (its SHA-256 is another); run: keyroll archive create \(number)"
            )
        }
        let archiveKey = try keeper.archiveKey()
        try check(bundle, generation, opener: .symmetricKey(archiveKey.key, identifier: archiveKey.identifier))
        return bundle
    }

    /// The bundle that lies where the ring noted one, whether it is that one or not.
    private func loadBundle(_ number: UInt32) throws -> Bundle {
        guard let escrow = keeper.keyring.ring.generation(number)?.escrow else {
            throw ArchiveError(
                .noSuchBundle, "generation \(number) is in no bundle; run: keyroll archive create \(number)")
        }
        return try BundleFile.load(bundlesPath + "/" + escrow.file, trusted: keeper.trustedSigners())
    }

    private func check(_ bundle: Bundle, _ generation: Generation, opener: RecipientEnvelope.Opener) throws {
        try bundle.check(isOf: generation, group: keeper.keyring.ring.group)
        let material = try bundle.open(with: opener)
        guard let key = keeper.keyring.key(generation.number) else { return }
        let same = key.bytes.withUnsafeBytes { left in
            material.key.bytes.withUnsafeBytes { equalInConstantTime(left, $0) }
        }
        guard same else {
            throw ArchiveError(.otherGeneration, "\(bundle.place): holds another key than the ring")
        }
    }

    /// The highest number that this group's bundles in the folder tell of: a ring from an older backup does not know it.
    private func highestBundled() throws -> UInt32 {
        let trusted = try keeper.trustedSigners()
        let group = keeper.keyring.ring.group
        return bundleFiles().reduce(0) { highest, file in
            guard let bundle = try? BundleFile.load(bundlesPath + "/" + file, trusted: trusted), bundle.group == group
            else { return highest }
            return max(highest, bundle.number)
        }
    }

    /// The names of the bundles in the folder.
    public func bundleFiles() -> [String] {
        FolderListing.names(bundlesPath).filter { $0.hasSuffix(BundleFile.suffix) }
    }

    /// A process that was killed while it wrote a bundle leaves its draft behind. Only the holder of the run lock
    /// writes bundles.
    private func removeDrafts() throws {
        for name in FolderListing.names(bundlesPath) where name.contains(BundleFile.suffix + ".new-") {
            unlink(bundlesPath + "/" + name)
        }
    }
}

extension RingKeeper {
    /// Takes restored generations off line whose time is over, and notes the clock for the others. A process that may
    /// only read does not use them either, so that a failure here changes nothing.
    func keepTime() {
        let restorations = keyring.ring.generations.compactMap(\.restoration)
        guard !restorations.isEmpty else { return }
        if restorations.contains(where: { $0.isOver() }) { _ = try? endRestorations() }
        if keyring.ring.generations.contains(where: { ($0.restoration?.seen).map { Timestamp.now - $0 > 60 } ?? false })
        {
            _ = try? update { _ in }
        }
    }
}

extension SecureBytes {
    /// A copy of a generation's key.
    init(copyingKey key: Keyring.Key) throws {
        let copied = try SecureBytes(count: 32) { output in
            key.bytes.withUnsafeBytes { output.copyMemory(from: $0) }
        }
        self = copied
    }
}
