public import Cryptography
import Envelopes
public import Files

/// Keys beside the generations': the signer's and the archive key, and a generation that comes back.
extension RingKeeper {
    /// Makes this ring's signer and archive key, or takes the operator's own certificate and key.
    ///
    /// - Parameters:
    ///   - signer: certificate and key of the operator's own; nil for a new self-signed one.
    ///   - moment: now.
    public func establishCustody(signer: (certificate: Certificate, key: PrivateKey)?, at moment: Timestamp) throws {
        let signer = try signer ?? Self.newSigner(name: keyring.ring.name, at: moment)
        try update { ring in
            try Self.set(signer, &ring, rootKeys)
            guard ring.archiveKey == nil else { return }
            try Self.addArchiveKey(nil, &ring, rootKeys, at: moment, proven: false)
        }
    }

    /// Adds an archive key as a recipient: a new one, or one that is at hand.
    static func addArchiveKey(
        _ present: (key: RecipientEnvelope.SharedKey, identifier: [UInt8])?, _ ring: inout Ring, _ keys: RootKeys,
        at moment: Timestamp, proven: Bool
    ) throws {
        let (key, identifier) = try present ?? (RecipientEnvelope.SharedKey(Random.key()), Random.publicBytes(16))
        let sealed = try RootSeal.seal(
            key.bytes, under: keys, authenticating: archiveKeyData(ring.group, identifier))
        try ring.add(
            Recipient(
                name: "archive-key", kind: .archiveKey(identifier: identifier, sealed: sealed),
                fingerprint: identifier, added: moment, challenge: nil, proven: proven ? moment : nil))
    }

    /// The certificates whose signatures count, the present signer's first.
    public func trustedSigners() throws -> [Certificate] { try trustedDER.map { try Certificate($0) } }

    private var trustedDER: [[UInt8]] {
        let ring = keyring.ring
        return (ring.signer.map { [$0.certificate] } ?? []) + ring.formerSigners
    }

    /// The signer, with the private key.
    ///
    /// - Throws: ``KeyManagementError`` with `ringNotAuthentic` where there is none or it was altered.
    public func signer() throws -> (certificate: Certificate, key: PrivateKey) {
        let ring = keyring.ring
        guard let signer = ring.signer else {
            throw KeyManagementError(.olderFormat, "group \(ring.name) has no signer; run: keyroll upgrade")
        }
        let der = try opened("the signer's key") {
            try RootSeal.open(
                signer.sealedKey, under: rootKeys, authenticating: Self.signerData(ring.group, signer.certificate),
                what: "the signer's key")
        }
        return (try Certificate(signer.certificate), try PrivateKey.read(der))
    }

    /// The archive key and the identifier that bundles name it by.
    ///
    /// - Throws: ``KeyManagementError`` with `ringNotAuthentic` where there is none or it was altered.
    public func archiveKey() throws -> (key: RecipientEnvelope.SharedKey, identifier: [UInt8]) {
        let ring = keyring.ring
        guard case .archiveKey(let identifier, let sealed)? = ring.archiveKey?.kind else {
            throw KeyManagementError(.olderFormat, "group \(ring.name) has no archive key; run: keyroll upgrade")
        }
        let key = try opened("the archive key") {
            try RootSeal.open(
                sealed, under: rootKeys, authenticating: Self.archiveKeyData(ring.group, identifier),
                what: "the archive key")
        }
        return (RecipientEnvelope.SharedKey(key), identifier)
    }

    /// Puts an archived generation on line again, to unprotect only, until a moment.
    ///
    /// - Parameters:
    ///   - key: its key, 32 bytes; has to be the one that the ring knows.
    ///   - number: its number.
    ///   - restoration: until when and why.
    /// - Throws: ``KeyManagementError`` with `noSuchGeneration`, `exists` or `transitionRefused`.
    public func restore(_ key: borrowing SecureBytes, number: UInt32, restoration: Restoration) throws {
        let checkValue = try KeyCheckValue.of(key)
        try update { ring in
            let index = try ring.index(of: number)
            let generation = ring.generations[index]
            guard generation.checkValue == checkValue else {
                throw KeyManagementError(
                    .ringNotAuthentic, "this is not the key of generation \(number) of group \(ring.name)")
            }
            guard generation.state == .deactivated || generation.state == .compromised, generation.isArchived else {
                throw KeyManagementError(
                    .transitionRefused,
                    "generation \(number) is \(generation.state.rawValue)\(generation.isArchived ? "" : " and on line"); only an archived one is restored"
                )
            }
            guard generation.destruction == nil else {
                throw KeyManagementError(
                    .transitionRefused,
                    "the destruction of generation \(number) was asked for; run: keyroll generation destroy \(number) --cancel"
                )
            }
            if let present = generation.restoration, !present.isOver() {
                throw KeyManagementError(
                    .exists, "generation \(number) is restored already, until \(present.until)")
            }
            ring.generations[index].restoration = restoration
            ring.generations[index].sealed = try GenerationSeal.seal(
                key, under: rootKeys, group: ring.group, number: number, identity: generation.identity)
        }
    }

    /// Takes restored generations off line whose time is over.
    ///
    /// - Returns: their numbers.
    @discardableResult
    public func endRestorations() throws -> [UInt32] {
        func over(_ ring: Ring) -> [UInt32] {
            ring.generations.filter { $0.restoration?.isOver() == true }.map(\.number)
        }
        let numbers = over(keyring.ring)
        guard !numbers.isEmpty else { return [] }
        return try update { ring in
            let numbers = over(ring)
            for number in numbers { try ring.endRestoration(number) }
            return numbers
        }
    }

    /// Writes the ring as it was last read into another repository, which is empty.
    ///
    /// - Throws: ``KeyManagementError`` with `exists`.
    public func copy(to other: any KeyRepository) throws {
        try other.commit(Self.seal(keyring.ring, rootKeys, parameters), replacing: nil)
    }

    /// Seals the ring anew under another provider's root key.
    ///
    /// - Parameters:
    ///   - provider: where the new one comes from.
    ///   - prepare: called with a keeper of the new root key before that is in force.
    /// - Returns: a keeper with the new root key; this one can no longer read the repository.
    public func changeRoot(
        to provider: any RootKeyProvider, prepare: (RingKeeper) throws -> Void = { _ in }
    ) throws -> RingKeeper {
        let keyring = try reload()
        var ring = keyring.ring
        let parameters = try provider.newParameters()
        let fresh = try RootKeys(provider.rootKey(parameters), group: ring.group)
        let replaced = ring.sequence
        ring.sequence += 1
        for index in ring.generations.indices {
            let generation = ring.generations[index]
            guard let sealed = generation.sealed else { continue }
            let key = try GenerationSeal.open(
                sealed, under: rootKeys, group: ring.group, number: generation.number, identity: generation.identity)
            ring.generations[index].sealed = try GenerationSeal.seal(
                key, under: fresh, group: ring.group, number: generation.number, identity: generation.identity)
        }
        if ring.signer != nil { try Self.set(signer(), &ring, fresh) }
        if let index = ring.recipients.firstIndex(where: { $0.name == ring.archiveKey?.name }) {
            let (key, identifier) = try archiveKey()
            let sealed = try RootSeal.seal(
                key.bytes, under: fresh, authenticating: Self.archiveKeyData(ring.group, identifier))
            ring.recipients[index].kind = .archiveKey(identifier: identifier, sealed: sealed)
        }
        let changed = RingKeeper(
            repository, fresh, try Keyring(ring: ring, rootKeys: fresh), parameters: parameters, repairs: [])
        try prepare(changed)
        try repository.commit(Self.seal(ring, fresh, parameters), replacing: replaced)
        return changed
    }

    private func opened(_ what: String, _ body: () throws -> SecureBytes) throws -> SecureBytes {
        do { return try body() } catch CryptographyError.integrity {
            throw KeyManagementError(.ringNotAuthentic, "\(what) of group \(keyring.ring.name) was altered")
        }
    }

    static func set(
        _ signer: (certificate: Certificate, key: PrivateKey), _ ring: inout Ring, _ keys: RootKeys
    ) throws {
        guard signer.key.belongs(to: signer.certificate), signer.certificate.keyKind != nil else {
            throw CryptographyError(
                .malformed, "the signer's private key does not belong to its certificate (RSA, P-256, P-384 or P-521)")
        }
        let der = try signer.key.der()
        let sealed = try RootSeal.seal(
            der, under: keys, authenticating: signerData(ring.group, signer.certificate.der))
        if let former = ring.signer?.certificate, former != signer.certificate.der { ring.formerSigners.append(former) }
        ring.signer = Signer(certificate: signer.certificate.der, sealedKey: sealed)
    }

    /// A P-256 key with a self-signed certificate that holds for a hundred years: what it signs has to be read then.
    static func newSigner(name: String, at moment: Timestamp) throws -> (Certificate, PrivateKey) {
        let key = try PrivateKey.generate()
        let certificate = try Certificate.selfSigned(
            key, name: "keyroll signer of \(name)", usage: .signing, from: moment.rawValue - 86400, years: 100)
        return (certificate, key)
    }

    private static func signerData(_ group: Identity, _ certificate: [UInt8]) -> [UInt8] {
        Array("keyroll/1 signer".utf8) + group.bytes + certificate
    }

    private static func archiveKeyData(_ group: Identity, _ identifier: [UInt8]) -> [UInt8] {
        Array("keyroll/1 archive key".utf8) + group.bytes + identifier
    }
}
