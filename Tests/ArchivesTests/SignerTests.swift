import Archives
import Cryptography
import Files
import ForgedArchives
import KeyManagement
import Testing

/// Whose signature counts.
@Suite struct SignerTests {
    @Test(arguments: [Party.Kind.p256, .p384, .rsa2048, .rsa3072])
    func signersThatOpensslMade(_ kind: Party.Kind) throws {
        let party = try Party.of(kind)
        let group = try Group(signer: party)
        let bytes = try group.bundle()
        let bundle = try group.read(bytes)
        #expect(bundle.signer == party.certificate)
        // A pinned signer among others, wherever it stands.
        let others = try Party.of([.stranger, .strangerRSA]).map(\.certificate)
        for trusted in [others + [party.certificate], [party.certificate] + others] {
            #expect(try Bundle(bytes, place: "", trusted: trusted).signer == party.certificate)
        }
        for trusted in [others, [], try Group().trusted()] {
            #expect(code { try Bundle(bytes, place: "", trusted: trusted) } == .unknownSigner)
        }
        // `openssl` agrees.
        let parts = try BundleParts(bytes)
        try group.folder.write("manifest", parts.manifest)
        try group.folder.write("signature", parts.signature)
        try Tool.run(
            [
                "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content", "manifest",
                "-certfile", party.certificatePath, "-nointern", "-noverify", "-out", "/dev/null",
            ], in: group.folder.path)
    }

    @Test func anEncryptedKeyNeedsItsPassphrase() throws {
        let party = try Party.of(.encrypted)
        let key = try party.privateKey(passphrase: Party.passphrase)
        #expect(key.belongs(to: party.certificate))
        #expect(throws: CryptographyError(.malformed)) { try party.privateKey(passphrase: "wrong") }
        #expect(throws: CryptographyError(.malformed)) { try party.privateKey() }
        // As the signer, and as a recipient.
        let group = try Group(recipients: [party])
        try group.keeper.establishCustody(signer: (party.certificate, key), at: .now)
        let bundle = try group.read(group.bundle())
        #expect(bundle.signer == party.certificate)
        let recovery = try RecoveryKey.read(party.keyPath) { try SecureBytes(Array(Party.passphrase.utf8)) }
        #expect(try bundle.open(with: recovery.opener).keyBytes == group.keyBytes())
        struct Cancelled: Error {}
        #expect(throws: Cancelled.self) { try RecoveryKey.read(party.keyPath) { throw Cancelled() } }
        #expect(code { try RecoveryKey.read(party.keyPath, ask: nil) } == .malformed)
    }

    @Test func whatAFormerSignerSignedIsStillTrusted() throws {
        let group = try Group()
        let before = try group.bundle()
        let party = try Party.of(.rsa2048)
        try group.keeper.establishCustody(signer: (party.certificate, party.privateKey()), at: .now)
        #expect(try group.read(before).signer != party.certificate)
        #expect(try group.read(group.bundle()).signer == party.certificate)
    }

    @Test func aKeyOfAnotherCertificateIsRefused() throws {
        let group = try Group()
        #expect(throws: CryptographyError(.malformed)) {
            try group.keeper.establishCustody(
                signer: (Party.of(.p256).certificate, Party.of(.stranger).privateKey()), at: .now)
        }
    }

    /// A signature that `openssl` made over the manifest, and what has to become of it.
    private struct Forgery {
        var what: String
        var signature: [UInt8]
        var code: ArchiveError.Code?
    }

    private func forgeries(_ group: Group, _ parts: BundleParts, _ signer: Party) throws -> [Forgery] {
        let folder = group.folder
        try folder.write("manifest", parts.manifest)
        try folder.write("other", Array("other".utf8))
        func sign(_ signers: [Party], of file: String = "manifest", _ options: [String] = ["-outform", "DER"]) throws
            -> [UInt8]
        {
            let names = signers.flatMap { ["-signer", $0.certificatePath, "-inkey", $0.keyPath] }
            try Tool.run(
                ["openssl", "cms", "-sign", "-binary", "-md", "sha256", "-in", file, "-out", "signature"] + names
                    + options, in: folder.path)
            return try folder.bytes("signature")
        }
        let stranger = try Party.of(.stranger)
        let genuine = try sign([signer])
        try Tool.run(
            ["openssl", "crl2pkcs7", "-nocrl", "-certfile", signer.certificatePath, "-outform", "DER", "-out", "none"],
            in: folder.path)
        try Tool.run(
            [
                "openssl", "cms", "-encrypt", "-binary", "-in", "manifest", "-outform", "DER", "-out", "encrypted",
                signer.certificatePath,
            ], in: folder.path)
        return [
            Forgery(what: "openssl's own", signature: genuine, code: nil),
            Forgery(
                what: "without certificates", signature: try sign([signer], ["-outform", "DER", "-nocerts"]), code: nil),
            Forgery(what: "none", signature: [], code: .damaged),
            Forgery(what: "by nobody", signature: try folder.bytes("none"), code: .damaged),
            Forgery(what: "by two", signature: try sign([signer, stranger]), code: .damaged),
            Forgery(what: "by a stranger", signature: try sign([stranger]), code: .unknownSigner),
            Forgery(
                what: "by a stranger who brings the signer's certificate along",
                signature: try sign([stranger], ["-outform", "DER", "-certfile", signer.certificatePath]),
                code: .unknownSigner),
            Forgery(what: "of something else", signature: try sign([signer], of: "other"), code: .damaged),
            Forgery(
                what: "with the content inside", signature: try sign([signer], ["-outform", "DER", "-nodetach"]),
                code: .damaged),
            Forgery(what: "as PEM", signature: try sign([signer], ["-outform", "PEM"]), code: .damaged),
            Forgery(what: "as S/MIME", signature: try sign([signer], ["-outform", "SMIME"]), code: .damaged),
            Forgery(
                what: "of indefinite length", signature: try sign([signer], ["-outform", "DER", "-stream"]),
                code: .damaged),
            Forgery(what: "with a byte behind it", signature: genuine + [0], code: .damaged),
            Forgery(what: "twice", signature: genuine + genuine, code: .damaged),
            Forgery(what: "cut short", signature: genuine.dropLast(), code: .damaged),
            Forgery(what: "an encrypted message", signature: try folder.bytes("encrypted"), code: .damaged),
            Forgery(what: "zeros", signature: [UInt8](repeating: 0, count: 1000), code: .damaged),
            Forgery(what: "a deep nest", signature: [UInt8](repeating: 0x30, count: 60_000), code: .damaged),
            Forgery(
                what: "an endless nest", signature: Array([[UInt8]](repeating: [0x30, 0x80], count: 30_000).joined()),
                code: .damaged),
        ]
    }

    @Test(arguments: [Party.Kind.p256, .rsa2048])
    func signaturesThatDoNotCount(_ kind: Party.Kind) throws {
        let party = try Party.of(kind)
        let group = try Group(signer: party)
        let parts = try BundleParts(group.bundle())
        for forgery in try forgeries(group, parts, party) {
            var parts = parts
            parts.signature = forgery.signature
            #expect(code { try group.read(parts.packed()) } == forgery.code, "\(forgery.what)")
        }
    }
}
