import Archives
import Cryptography
import ForgedArchives
import KeyManagement
import Testing

/// Bundles that a disk damaged, byte by byte, and such that somebody damaged and made look whole.
@Suite struct DamageTests {
    private let group: Group
    private let bytes: [UInt8]
    private let parts: BundleParts

    init() throws {
        group = try Group(recipients: [Party.of(.p256)])
        bytes = try group.bundle()
        parts = try BundleParts(bytes)
    }

    @Test func everyTruncation() throws {
        let trusted = try group.trusted()
        for count in 0..<bytes.count {
            #expect(code { try Bundle(Array(bytes[..<count]), place: "", trusted: trusted) } == .damaged, "\(count)")
            #expect(
                code { try Bundle(Array(bytes[(count + 1)...]), place: "", trusted: trusted) } == .damaged, "\(count)")
        }
        #expect(code { try Bundle(bytes + [0], place: "", trusted: trusted) } == .damaged)
    }

    @Test func everyFlippedByte() throws {
        let trusted = try group.trusted()
        for index in bytes.indices {
            for bits in [1, 0x80, 0xFF] as [UInt8] {
                var altered = bytes
                altered[index] ^= bits
                #expect(code { try Bundle(altered, place: "", trusted: trusted) } == .damaged, "\(index), \(bits)")
            }
        }
    }

    /// With a digest that fits: it is refused, or it was some padding and says the same.
    @Test func everyTruncationBehindADigestThatFits() throws {
        let trusted = try group.trusted()
        let content = Array(bytes.dropLast(40))
        for count in content.indices {
            let altered = try BundleParts.seal(Array(content[..<count]))
            let code = code { try Bundle(altered, place: "", trusted: trusted) }
            // The last bytes hold the end of the archive, which need not be there.
            #expect(code == .damaged || code == .malformed || count > content.count - 32, "\(count)")
        }
    }

    @Test func everyFlippedByteBehindADigestThatFits() throws {
        let trusted = try group.trusted()
        let content = Array(bytes.dropLast(40))
        let manifest = try group.read(bytes).manifest
        for index in content.indices {
            for bits in [1, 0x80] as [UInt8] {
                var altered = content
                altered[index] ^= bits
                try expectRefusedOrTheSame(BundleParts.seal(altered), trusted, manifest, "\(index), \(bits)")
            }
        }
    }

    /// The same in the archive behind the compression: names, sizes, modes, kinds.
    @Test func everyFlippedByteOfTheArchive() throws {
        let trusted = try group.trusted()
        let manifest = try group.read(bytes).manifest
        let archive = Tar.pack(parts.members)
        for index in archive.indices {
            var altered = archive
            altered[index] ^= 1
            try expectRefusedOrTheSame(
                BundleParts.seal(ZstandardFrame(altered).bytes), trusted, manifest, "byte \(index)")
        }
        // Headers with checksums that fit.
        for (number, member) in parts.members.enumerated() {
            for offset in 0..<512 where !(148..<156).contains(offset) {
                var members = parts.members
                members[number].patches = [offset: [member.header[offset] ^ 1]]
                try expectRefusedOrTheSame(
                    BundleParts.seal(ZstandardFrame(Tar.pack(members)).bytes), trusted, manifest,
                    "\(member.name), \(offset)")
            }
        }
    }

    private func expectRefusedOrTheSame(
        _ altered: [UInt8], _ trusted: [Certificate], _ manifest: Manifest, _ what: String
    ) throws {
        do {
            let bundle = try Bundle(altered, place: "", trusted: trusted)
            #expect(bundle.manifest == manifest, "\(what)")
            #expect(try bundle.open(with: group.archiveOpener()).keyBytes == group.keyBytes(), "\(what)")
        } catch let error as ArchiveError {
            #expect([.damaged, .malformed, .unknownSigner].contains(error.code), "\(what): \(error)")
        }
    }

    @Test func everyFlippedByteOfTheManifest() throws {
        for index in parts.manifest.indices {
            var parts = parts
            parts.manifest[index] ^= 1
            #expect(code { try group.read(parts.packed()) } == .damaged, "\(index)")
        }
    }

    @Test func everyFlippedByteOfTheEnvelope() throws {
        for index in parts.envelope.indices {
            var parts = parts
            parts.envelope[index] ^= 1
            #expect(code { try group.read(parts.packed()) } == .damaged, "\(index)")
        }
    }

    /// The certificates that lie in a signature are nobody's business; everything else in it counts.
    @Test func everyFlippedByteOfTheSignature() throws {
        let manifest = try group.read(bytes).manifest
        var accepted = 0
        for index in parts.signature.indices {
            for bits in [1, 0x80] as [UInt8] {
                var parts = parts
                parts.signature[index] ^= bits
                do {
                    #expect(try group.read(parts.packed()).manifest == manifest)
                    accepted += 1
                } catch let error as ArchiveError {
                    #expect(error.code == .damaged || error.code == .unknownSigner, "\(index): \(error)")
                }
            }
        }
        let certificate = try group.keeper.signer().certificate.der.count
        #expect(
            accepted < 2 * certificate, "\(accepted) altered signatures count, with \(certificate) bytes of certificate"
        )
    }

    /// An envelope that was altered and then signed: whoever opens it gets the right key, or an error.
    @Test func everyFlippedByteOfAnEnvelopeThatWasSigned() throws {
        let openers: [RecipientEnvelope.Opener] = [
            try group.archiveOpener(), try Party.of(.p256).recoveryKey(withCertificate: true).opener,
        ]
        let expected = try group.keyBytes()
        for index in parts.envelope.indices {
            var envelope = parts.envelope
            envelope[index] ^= 1
            let bundle = try group.read(group.forged(parts, envelope: envelope))
            for opener in openers {
                do { #expect(try bundle.open(with: opener).keyBytes == expected, "\(index)") } catch let error
                    as ArchiveError
                { #expect(error.code == .wrongKey || error.code == .damaged, "\(index): \(error)") }
            }
        }
    }
}
