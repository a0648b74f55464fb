public import Archives
public import Cryptography
import Files
import Glibc
public import KeyManagement
import SecretStores

/// New generations, and the bundles that hold them.
extension Home {
    /// Publishes a new generation above everything that ring, stores and bundles have seen, and escrows it.
    ///
    /// - Parameters:
    ///   - reason: why.
    ///   - activates: make it the active one as well, in the change of the ring that notes its bundle.
    public func publish(reason: String, activates: Bool = false) throws -> UInt32 {
        let stored = try stores.map { try $0.marks().generations.last?.number ?? 0 }.max() ?? 0
        let seen = try highestBundled(above: max(stored, keeper.keyring.ring.highestNumber))
        let number = try keeper.publish(above: seen, at: .now, reason: reason)
        try escrow([number]) { ring in
            if activates { try ring.activate(number, at: .now, reason: reason) }
        }
        return number
    }

    /// The path of a generation's bundle.
    public func bundlePath(_ number: UInt32) -> String {
        let ring = keeper.keyring.ring
        return bundlesPath + "/" + BundleFile.name(group: ring.name, number: number, epoch: ring.epoch)
    }

    /// Writes a generation's bundle; see the one for many.
    public func escrow(_ number: UInt32, census: Manifest.Census? = nil) throws {
        try escrow([number], census: census.map { [number: $0] } ?? [:])
    }

    /// Writes bundles for the present recipients: drafts, synced, read back from the disk, verified, opened with the
    /// archive key, and only then put into place and noted in the ring.
    ///
    /// - Parameters:
    ///   - numbers: the generations; an archived one's key is taken from its present bundle.
    ///   - census: what they still protect, where they are being retired.
    ///   - material: their keys, where neither ring nor bundle gives them.
    ///   - change: what else changes in the ring once the bundles are in place.
    /// - Throws: `ArchiveError`, `FileError`, `KeyManagementError` with `noSuchGeneration`.
    public func escrow(
        _ numbers: [UInt32], census: [UInt32: Manifest.Census] = [:],
        material: [UInt32: RecipientEnvelope.SharedKey] = [:], then change: (inout Ring) throws -> Void = { _ in }
    ) throws {
        let ring = keeper.keyring.ring
        let now = Timestamp.now
        let archiveKey = try keeper.archiveKey()
        let signer = try keeper.signer()
        let trusted = try keeper.trustedSigners()
        let opener = RecipientEnvelope.Opener.symmetricKey(archiveKey.key, identifier: archiveKey.identifier)
        if !PrivateFile.exists(bundlesPath) { try PrivateFile.makeDirectory(bundlesPath) }
        try removeDrafts()
        var drafts: [BundleFile.Draft] = []
        defer { BundleFile.discard(drafts) }
        let generations = try numbers.map { try escrowable($0, ring) }
        for generation in generations {
            let number = generation.number
            let (key, kept) = try material[number].map { ($0, nil) } ?? key(of: generation)
            let bytes = try Bundle.make(
                generation, of: ring, key: key, census: census[number] ?? kept, archiveKey: archiveKey.key,
                signer: signer, at: now)
            drafts.append(try BundleFile.draft(bundlePath(number), bytes))
        }
        try BundleFile.sync(drafts)
        let digests = try zip(generations, drafts).map { generation, draft in
            let bundle = try Bundle(BundleFile.read(draft), place: draft.path, trusted: trusted)
            try check(bundle, generation, opener: opener)
            return bundle.digest
        }
        // Where one takes another's place, the ring knows both before the rename: a crash leaves no file that is neither.
        if generations.contains(where: { $0.escrow != nil }) {
            let replaced = replacedBundles(generations)
            try keeper.update { ring in
                for bundle in replaced {
                    let opens = Set(bundle.manifest.recipients.map(\.fingerprint))
                    try ring.noteReplaced(
                        bundle.number,
                        recipients: ring.recipients.map(\.fingerprint).filter { opens.contains(hexadecimal($0)) })
                }
                for (generation, digest) in zip(generations, digests) where generation.escrow != nil {
                    try ring.noteReplacement(digest, of: generation.number)
                }
            }
        }
        for draft in drafts { try BundleFile.place(draft) }
        try PrivateFile.syncDirectory(of: bundlesPath + "/x")
        try keeper.update { present in
            for (generation, digest) in zip(generations, digests) {
                let file = BundleFile.name(group: ring.name, number: generation.number, epoch: ring.epoch)
                let escrow = Escrow(
                    file: file, digest: digest, written: now, recipients: ring.recipients.map(\.fingerprint),
                    rehearsed: now)
                try present.note(escrow, of: generation.number)
            }
            try change(&present)
        }
    }

    /// Bundles that runs before this one put into place and could not note any more. Unless they are noted first, one more
    /// that is cut off would leave a file that is neither.
    private func replacedBundles(_ generations: [Generation]) -> [Bundle] {
        generations.compactMap { generation in
            guard let escrow = generation.escrow, let replacement = escrow.replacement,
                let bundle = try? BundleFile.load(
                    bundlesPath + "/" + escrow.file, trusted: keeper.trustedSigners())
            else { return nil }
            return bundle.digest == replacement ? bundle : nil
        }
    }

    private func escrowable(_ number: UInt32, _ ring: Ring) throws -> Generation {
        guard let generation = ring.generation(number) else {
            throw KeyManagementError(
                .noSuchGeneration, "group \(ring.name) has no generation \(number); see: keyroll generation list")
        }
        guard generation.state != .destroyed, generation.destruction == nil else {
            throw KeyManagementError(
                .transitionRefused, "generation \(number) is destroyed, or its destruction was asked for")
        }
        // A folder that homes share: a bundle never takes the place of another group's.
        let path = bundlePath(number)
        if generation.escrow.map({ bundlesPath + "/" + $0.file }) != path, PrivateFile.exists(path) {
            let present = try? BundleFile.load(path, trusted: keeper.trustedSigners())
            guard let present, (try? present.check(isOf: generation, group: ring.group)) != nil else {
                throw ArchiveError(
                    .otherGeneration,
                    "\(path): another bundle lies there; move it, or name another folder in keyroll.yaml (bundles)")
            }
        }
        return generation
    }

    /// A generation's key from the ring, or from its present bundle, with the census that is in there.
    private func key(of generation: Generation) throws -> (RecipientEnvelope.SharedKey, Manifest.Census?) {
        if let present = keeper.keyring.key(generation.number) {
            return (RecipientEnvelope.SharedKey(try SecureBytes(copyingKey: present)), nil)
        }
        let archiveKey = try keeper.archiveKey()
        // Noted or not: where it lies by its name it is as good.
        let file = generation.escrow.map { bundlesPath + "/" + $0.file } ?? bundlePath(generation.number)
        // Whichever recipients it was written for: signature, identity, check value and archive key decide.
        let present = try BundleFile.load(file, trusted: keeper.trustedSigners())
        try present.check(isOf: generation, group: keeper.keyring.ring.group)
        let material = try present.open(
            with: .symmetricKey(archiveKey.key, identifier: archiveKey.identifier))
        return (material.key, present.manifest.census)
    }

    /// Verifies a generation's bundle as it lies on the disk: it is the file that the ring noted, signed, and opens with
    /// the archive key to the key that the ring knows.
    ///
    /// - Returns: the bundle.
    /// - Throws: `ArchiveError`, `FileError`.
    @discardableResult
    public func verifyBundle(_ number: UInt32) throws -> Bundle {
        let ring = keeper.keyring.ring
        guard let generation = ring.generation(number), let escrow = generation.escrow else {
            throw ArchiveError(
                .noSuchBundle, "generation \(number) is in no bundle; run: keyroll archive create \(number)")
        }
        let path = bundlesPath + "/" + escrow.file
        let bundle = try BundleFile.load(path, trusted: keeper.trustedSigners())
        // An older copy of it, put back, is as good as long as everybody of today can open it.
        let opens = Set(bundle.manifest.recipients.map(\.fingerprint))
        guard
            bundle.digest == escrow.digest || bundle.digest == escrow.replacement
                || escrow.recipients.allSatisfy({ opens.contains(hexadecimal($0)) })
        else {
            throw ArchiveError(
                .otherGeneration,
                "\(path): is not the bundle that was verified last, and not everybody can open it; run: keyroll archive create \(number)"
            )
        }
        let archiveKey = try keeper.archiveKey()
        try check(bundle, generation, opener: .symmetricKey(archiveKey.key, identifier: archiveKey.identifier))
        return bundle
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
    ///
    /// - Parameter known: bundles whose names have no higher number are not looked at.
    private func highestBundled(above known: UInt32) throws -> UInt32 {
        var highest = known
        for file in bundleFiles() {
            // `GROUP-gN…`; what a name says is believed only if the bundle says it, too.
            let digits = file.dropLast(BundleFile.suffix.count).split(separator: "-").compactMap { part in
                part.hasPrefix("g") ? UInt32(part.dropFirst()) : nil
            }
            guard digits.contains(where: { $0 > highest }),
                let bundle = try? BundleFile.load(bundlesPath + "/" + file, trusted: keeper.trustedSigners()),
                bundle.group == keeper.keyring.ring.group
            else { continue }
            highest = max(highest, bundle.number)
        }
        return highest
    }

    /// Whether the active generation's bundle is here: other hosts of a group have the ring, and no bundles.
    public var keepsBundles: Bool {
        guard let escrow = keeper.keyring.ring.active?.escrow else { return false }
        return PrivateFile.exists(bundlesPath + "/" + escrow.file)
    }

    /// The names of the bundles in the folder.
    public func bundleFiles() -> [String] {
        FolderListing.names(bundlesPath).filter { $0.hasSuffix(BundleFile.suffix) }
    }

    /// Every file in the folder that says it is a bundle of a generation, whoever signed it: those of a ring that was
    /// lost, or of a recovery that was cut off, may still be there.
    public func bundles(of generation: Generation) -> [String] {
        let group = keeper.keyring.ring.group
        return bundleFiles().map { bundlesPath + "/" + $0 }.filter { path in
            guard let bytes = try? BundleFile.read(path), let claim = Bundle.claim(bytes) else { return false }
            return claim == Bundle.Claim(group: group, number: generation.number, identity: generation.identity)
        }
    }

    /// A process that was killed while it wrote a bundle, a root key or a configuration leaves its draft behind. Only the
    /// holder of the run lock writes them.
    public func removeDrafts() throws {
        // Only those of this group: homes may share the folder.
        let own = BundleFile.stem(group: keeper.keyring.ring.name)
        for name in FolderListing.names(bundlesPath)
        where name.hasPrefix(own) && name.contains(BundleFile.suffix + ".new-") {
            unlink(bundlesPath + "/" + name)
        }
        for name in FolderListing.names(layout.path)
        where name.contains(".key.new-") || name.hasPrefix("keyroll.yaml.") && name.contains(".new-") {
            unlink(layout.resolve(name))
        }
        try HomeDraft.sweepInside(layout)
    }
}

extension RingKeeper {
    /// Takes restored generations off line whose time is over, and uses the others' time up. A process that may only
    /// read does not use them either, so that a failure here changes nothing.
    func keepTime() {
        let restorations = keyring.ring.generations.compactMap(\.restoration)
        guard !restorations.isEmpty else { return }
        if restorations.contains(where: { $0.isOver() }) { _ = try? endRestorations() }
        // Once a minute; after another boot, or with a clock that was set back, at once.
        let (now, boot) = (Timestamp.now, Restoration.Boot.now())
        let isDue = keyring.ring.generations.compactMap(\.restoration).contains {
            now - $0.seen > 60 || now < $0.seen || boot.identity != $0.boot.identity
        }
        if isDue { _ = try? update { _ in } }
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
