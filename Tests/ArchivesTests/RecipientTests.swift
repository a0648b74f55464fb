import Archives
import Cryptography
import Files
import ForgedArchives
import KeyManagement
import Testing

/// Who can open a bundle, and who cannot.
@Suite struct RecipientTests {
    private static let all: [Party.Kind] = [.p256, .p384, .p521, .rsa2048, .rsa3072]

    @Test func theArchiveKeyOpens() throws {
        let group = try Group()
        let bundle = try group.read(group.bundle())
        let material = try bundle.open(with: group.archiveOpener())
        #expect(try material.keyBytes == group.keyBytes())
        #expect(try material.identity == group.generation().identity && material.group == group.identity)
        #expect(material.number == 1)
        try bundle.check(isOf: group.generation(), group: group.identity)
    }

    @Test(arguments: all, [true, false])
    func aCertificatesHolderOpens(_ kind: Party.Kind, withArchiveKey: Bool) throws {
        let party = try Party.of(kind)
        let group = try Group(recipients: [party])
        let bundle = try group.read(group.bundle(withArchiveKey: withArchiveKey))
        for withCertificate in [true, false] {
            let key = try party.recoveryKey(withCertificate: withCertificate)
            #expect((key.certificate == party.certificate) == withCertificate)
            #expect(try bundle.open(with: key.opener).keyBytes == group.keyBytes(), "\(withCertificate)")
        }
        #expect(code { try bundle.open(with: group.archiveOpener()) } == (withArchiveKey ? nil : .wrongKey))
        for stranger in try Party.of([.stranger, .strangerRSA]) {
            for withCertificate in [true, false] {
                let key = try stranger.recoveryKey(withCertificate: withCertificate)
                #expect(code { try bundle.open(with: key.opener) } == .wrongKey, "\(stranger), \(withCertificate)")
            }
            // With the right certificate and another key.
            let mixed = RecipientEnvelope.Opener.privateKey(try stranger.privateKey(), party.certificate)
            #expect(code { try bundle.open(with: mixed) } == .wrongKey)
        }
    }

    @Test func everyOneOfManyOpens() throws {
        let parties = try Party.of(Self.all)
        let group = try Group(recipients: parties)
        let bundle = try group.read(group.bundle())
        #expect(bundle.manifest.recipients.map(\.kind) == ["archiveKey"] + parties.map { _ in "certificate" })
        let fingerprints = try parties.map { hexadecimal(try $0.certificate.fingerprint()) }
        #expect(bundle.manifest.recipients.dropFirst().map(\.fingerprint) == fingerprints)
        let expected = try group.keyBytes()
        #expect(try bundle.open(with: group.archiveOpener()).keyBytes == expected)
        for party in parties {
            for withCertificate in [true, false] {
                let key = try party.recoveryKey(withCertificate: withCertificate)
                #expect(try bundle.open(with: key.opener).keyBytes == expected, "\(party), \(withCertificate)")
            }
        }
        let stranger = try Party.of(.stranger).recoveryKey(withCertificate: false)
        #expect(code { try bundle.open(with: stranger.opener) } == .wrongKey)
    }

    @Test func anotherArchiveKeyDoesNotOpen() throws {
        let group = try Group()
        let bundle = try group.read(group.bundle())
        let own = try group.keeper.archiveKey()
        let other = try Group().keeper.archiveKey()
        let openers: [RecipientEnvelope.Opener] = [
            .symmetricKey(other.key, identifier: other.identifier),
            .symmetricKey(other.key, identifier: own.identifier),
            .symmetricKey(own.key, identifier: other.identifier), .symmetricKey(other.key, identifier: []),
        ]
        for opener in openers { #expect(code { try bundle.open(with: opener) } == .wrongKey) }
    }

    @Test func theExportedArchiveKeyIsReadBack() throws {
        let group = try Group()
        let key = try group.keeper.archiveKey()
        let file = group.folder.path + "/archive.key"
        try RecoveryKey.export(key.key, identifier: key.identifier, to: file)
        let bundle = try group.read(group.bundle())
        #expect(try bundle.open(with: RecoveryKey.read(file, ask: nil).opener).keyBytes == group.keyBytes())
        let text = try group.folder.bytes("archive.key")
        #expect(throws: FileError.self) {
            try RecoveryKey.export(key.key, identifier: key.identifier, to: file)
        }
        var upper = text
        upper[60] = 65
        let wrong = [
            Array(text.dropLast()), text + [10], Array(text.dropLast(2)) + [10], upper, Array(text.prefix(30)), [],
            text.map { $0 == 32 ? 9 : $0 }, Array("x".utf8) + text, [UInt8](repeating: 48, count: 20 << 10),
        ]
        for (number, bytes) in wrong.enumerated() {
            let file = try group.folder.write("wrong", bytes)
            #expect(code { try RecoveryKey.read(file, ask: nil) } == .malformed, "\(number)")
        }
    }

    @Test func aKeyOfItsOwnIsMadeAndOpens() throws {
        let group = try Group()
        let file = group.folder.path + "/recovery.pem"
        let signer = try group.keeper.signer().certificate
        let certificate = try RecoveryKey.create(file, group: "test", signer: signer, now: Timestamp.now.rawValue)
        try group.keeper.update { try $0.add(Recipient("recovery", certificate: certificate, at: .now)) }
        let key = try RecoveryKey.read(file, ask: nil)
        // The file is enough to know whom to trust, too.
        #expect(key.signers == [signer] && key.certificate == certificate)
        let bundle = try Bundle(group.bundle(), place: "a bundle", trusted: key.signers)
        #expect(try bundle.open(with: key.opener).keyBytes == group.keyBytes())
    }

    /// Keys that CMS as keyroll uses it cannot do with.
    @Test(arguments: [
        ["-newkey", "rsa:1024"], ["-newkey", "ed25519"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    ])
    func otherKeysAreRefused(_ options: [String]) throws {
        let folder = try TemporaryFolder()
        try Tool.run(
            ["openssl", "req", "-x509", "-subj", "/CN=x", "-noenc", "-keyout", "k.pem", "-out", "c.pem"] + options,
            in: folder.path)
        let certificate = try Certificate(folder.bytes("c.pem"))
        #expect(throws: CryptographyError(.malformed)) { try Recipient("x", certificate: certificate, at: .now) }
        #expect(code { try RecoveryKey.read(folder.path + "/k.pem", ask: nil) } == .malformed)
    }

    @Test func challengesAreAnsweredByTheirHolderOnly() throws {
        let parties = try Party.of(Self.all)
        let group = try Group(recipients: parties)
        let archiveKey = try group.keeper.archiveKey()
        for (party, recipient) in zip([nil] + parties, group.keeper.keyring.ring.recipients) {
            let challenge = try Challenge(for: recipient, archiveKey: archiveKey.key)
            let opener = try party.map { try $0.recoveryKey(withCertificate: false).opener } ?? group.archiveOpener()
            #expect(try Challenge.answer(challenge.message, with: opener) == challenge.answerDigest)
            for stranger in try Party.of([.stranger, .strangerRSA]) {
                let key = try stranger.recoveryKey(withCertificate: true)
                #expect(code { try Challenge.answer(challenge.message, with: key.opener) } == .wrongKey)
            }
            #expect(try Challenge(for: recipient, archiveKey: archiveKey.key).answerDigest != challenge.answerDigest)
        }
    }
}
