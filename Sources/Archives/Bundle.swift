public import Cryptography
public import Files
import FoundationEssentials
public import KeyManagement

/// The signed archive of one generation: `GROUP-gN.keyroll.tar.zst`.
public struct Bundle: Sendable {
    /// What it says of itself; its signature was verified.
    public let manifest: Manifest
    /// Who signed it.
    public let signer: Certificate
    /// The group's identity.
    public let group: Identity
    /// The generation's identity.
    public let identity: Identity
    /// The generation's key check value.
    public let checkValue: [UInt8]
    /// All states it had when the bundle was written.
    public let history: [Generation.Transition]
    /// SHA-256 of the whole file, 32 bytes.
    public let digest: [UInt8]
    /// A path, for messages.
    public let place: String
    /// `generation.cms`: CMS AuthEnvelopedData.
    private let envelope: [UInt8]

    /// The most bytes a bundle's file may have.
    public static let limit = 1 << 20
    package static let members = [
        TarReader.Expected(name: "manifest.json", limit: Manifest.limit),
        TarReader.Expected(name: "manifest.json.p7s", limit: 64 << 10),
        TarReader.Expected(name: "generation.cms", limit: 256 << 10),
    ]
    /// How many secrets are made for rehearsals.
    private static let sampleCount = 2

    /// Makes a bundle's bytes.
    ///
    /// - Parameters:
    ///   - generation: the generation.
    ///   - ring: its ring; all recipients in it can open the bundle.
    ///   - key: the generation's key, 32 bytes.
    ///   - census: what it still protects, where it is being retired.
    ///   - archiveKey: the archive key, where the ring has one.
    ///   - signer: who signs.
    ///   - moment: now.
    /// - Returns: the file's bytes.
    public static func make(
        _ generation: Generation, of ring: Ring, key: RecipientEnvelope.SharedKey, census: Manifest.Census?,
        archiveKey: RecipientEnvelope.SharedKey?, signer: (certificate: Certificate, key: PrivateKey),
        at moment: Timestamp
    ) throws -> [UInt8] {
        let material = GenerationMaterial(
            group: ring.group, number: generation.number, identity: generation.identity, key: key)
        var recipients: [RecipientEnvelope.Recipient] = []
        var entries: [Manifest.RecipientEntry] = []
        for recipient in ring.recipients {
            let kind: String
            var certificate: String?
            switch recipient.kind {
            case .certificate(let der):
                recipients.append(.certificate(try Certificate(der)))
                kind = "certificate"
                certificate = Data(der).base64EncodedString()
            case .archiveKey(let identifier, _):
                guard let archiveKey else { continue }
                recipients.append(.symmetricKey(archiveKey, identifier: identifier))
                kind = "archiveKey"
            }
            entries.append(
                .init(
                    name: recipient.name, kind: kind, fingerprint: hexadecimal(recipient.fingerprint),
                    certificate: certificate))
        }
        let envelope = try RecipientEnvelope.seal(material.encoded(), to: recipients)
        let manifest = Manifest(
            group: .init(name: ring.name, identity: ring.group.description), generation: .init(generation),
            census: census, recipients: entries,
            member: .init(
                name: "generation.cms", bytes: envelope.count,
                sha256: hexadecimal(try envelope.withUnsafeBytes { try sha256($0) })),
            samples: try (1...sampleCount).map {
                try Sample($0, group: ring.group, number: generation.number, key: key.bytes)
            },
            written: moment)
        let text = try manifest.encoded()
        let signature = try SignedMessage.sign(text, by: signer.certificate, signer.key, isDetached: true)
        return try DigestFrame.append(
            to: TarWriter.pack([
                ("manifest.json", text), ("manifest.json.p7s", signature), ("generation.cms", envelope),
            ]))
    }

    /// Reads a bundle that may be hostile: nothing is believed before the signature was verified, and nothing is ever
    /// unpacked to the disk.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - place: its path, for messages.
    ///   - trusted: the signers that count.
    /// - Throws: ``ArchiveError``.
    public init(_ bytes: [UInt8], place: String, trusted: [Certificate]) throws {
        guard bytes.count <= Self.limit else {
            throw ArchiveError(.malformed, "\(place): has \(bytes.count) bytes; a bundle has at most \(Self.limit)")
        }
        let content = try DigestFrame.strip(bytes, place: place)
        let members = try content.withUnsafeBytes { try TarReader.unpack($0, Self.members, place: place) }
        do {
            signer = try SignedMessage.verify(members[1], of: members[0], trusted: trusted).signer
        } catch let error as CryptographyError where error.code == .unknownSigner {
            throw ArchiveError(
                .unknownSigner,
                "\(place): was signed by somebody who is not trusted here; name the signer's certificate with --signer")
        } catch let error as CryptographyError
            where error.code == .integrityCheckFailed || error.code == .malformed
        { throw ArchiveError(.damaged, "\(place): the manifest's signature does not verify: it was altered") }
        manifest = try Manifest(decoding: members[0], place: place)
        guard manifest.member.name == "generation.cms", manifest.member.bytes == members[2].count,
            try manifest.member.sha256 == hexadecimal(members[2].withUnsafeBytes { try sha256($0) })
        else { throw ArchiveError(.damaged, "\(place): generation.cms is not the one that was signed") }
        guard let group = SecretDigits.publicBytes(manifest.group.identity).flatMap({ Identity($0) }),
            let identity = SecretDigits.publicBytes(manifest.generation.identity).flatMap({ Identity($0) }),
            let checkValue = SecretDigits.publicBytes(manifest.generation.checkValue), checkValue.count == 8,
            !manifest.samples.isEmpty,
            let history = manifest.generation.transitions
        else { throw ArchiveError(.malformed, "\(place): the manifest is not what keyroll writes") }
        self.group = group
        self.identity = identity
        self.checkValue = checkValue
        self.history = history
        envelope = members[2]
        digest = try bytes.withUnsafeBytes { try sha256($0) }
        self.place = place
    }

    /// What a file says it is; nothing of it is authentic.
    public struct Claim: Equatable, Sendable {
        /// The group's identity.
        public var group: Identity
        /// The generation's number.
        public var number: UInt32
        /// The generation's identity.
        public var identity: Identity

        /// - Parameters:
        ///   - group: the group's identity.
        ///   - number: the generation's number.
        ///   - identity: the generation's identity.
        public init(group: Identity, number: UInt32, identity: Identity) {
            self.group = group
            self.number = number
            self.identity = identity
        }
    }

    /// What a file says it is, whoever signed it: to find what has to be removed, and for nothing else.
    public static func claim(_ bytes: [UInt8]) -> Claim? {
        guard bytes.count <= limit, let content = try? DigestFrame.strip(bytes, place: ""),
            let parts = try? content.withUnsafeBytes({ try TarReader.unpack($0, members, place: "") }),
            let manifest = try? Manifest(decoding: parts[0], place: ""),
            let group = SecretDigits.publicBytes(manifest.group.identity).flatMap({ Identity($0) }),
            let identity = SecretDigits.publicBytes(manifest.generation.identity).flatMap({ Identity($0) })
        else { return nil }
        return Claim(group: group, number: manifest.generation.number, identity: identity)
    }

    /// The recipients by certificate, with what the group called them.
    public var certificates: [(name: String, certificate: Certificate)] {
        manifest.recipients.compactMap { entry in
            guard let text = entry.certificate, let der = Data(base64Encoded: text),
                let certificate = try? Certificate(Array(der)),
                (try? hexadecimal(certificate.fingerprint())) == entry.fingerprint
            else { return nil }
            return (entry.name, certificate)
        }
    }

    /// The generation's number.
    public var number: UInt32 { manifest.generation.number }

    /// Whether it holds this generation of this group.
    ///
    /// - Throws: ``ArchiveError`` with `otherGeneration`.
    public func check(isOf generation: Generation, group: Identity) throws {
        guard self.group == group else {
            throw ArchiveError(
                .otherGeneration, "\(place): belongs to another group ('\(manifest.group.name)', \(self.group))")
        }
        guard number == generation.number, identity == generation.identity, checkValue == generation.checkValue else {
            throw ArchiveError(
                .otherGeneration,
                "\(place): holds generation \(number) (\(identity)), not generation \(generation.number) (\(generation.identity)) of this ring"
            )
        }
    }

    /// Opens the envelope, and holds the key against everything that is known of it: manifest, check value, samples.
    ///
    /// - Throws: ``ArchiveError`` with `wrongKey`, `damaged` or `notRestorable`.
    public func open(with opener: RecipientEnvelope.Opener) throws -> GenerationMaterial {
        let text: SecureBytes
        do { text = try RecipientEnvelope.open(envelope, with: opener) } catch let error as CryptographyError {
            switch error.code {
            case .notARecipient, .integrityCheckFailed:
                throw ArchiveError(
                    .wrongKey,
                    "\(place): does not open with this key; it was encrypted to: \(manifest.recipients.map(\.name).joined(separator: ", "))"
                )
            case .malformed: throw ArchiveError(.damaged, "\(place): generation.cms is no CMS AuthEnvelopedData")
            default: throw error
            }
        }
        guard let material = try GenerationMaterial(decoding: text) else {
            throw ArchiveError(.damaged, "\(place): what generation.cms holds is no generation's key")
        }
        guard material.group == group, material.number == number, material.identity == identity,
            try KeyCheckValue.of(material.key.bytes) == checkValue
        else { throw ArchiveError(.damaged, "\(place): generation.cms holds another key than the manifest says") }
        for sample in manifest.samples {
            guard try sample.opens(group: group, number: number, key: material.key.bytes) else {
                throw ArchiveError(
                    .notRestorable, "\(place): the key does not open the bundle's sample '\(sample.name)'")
            }
        }
        return material
    }
}
