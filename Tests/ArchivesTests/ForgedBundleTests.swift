import Archives
import Cryptography
import Files
import ForgedArchives
import KeyManagement
import Testing

/// Bundles whose signature is right and whose content is not: put together from others, or by whoever has the signer.
@Suite struct ForgedBundleTests {
    private let group: Group
    private let parts: BundleParts

    init() throws {
        group = try Group(recipients: [Party.of(.p256)], generations: 2)
        parts = try BundleParts(group.bundle())
    }

    @Test func membersOfAnotherBundle() throws {
        let others = [
            try BundleParts(group.bundle(2)), try BundleParts(group.bundle()), try BundleParts(Group().bundle()),
        ]
        for other in others {
            var altered = parts
            altered.envelope = other.envelope
            #expect(code { try group.read(altered.packed()) } == .damaged, "generation.cms of another")
            altered = parts
            altered.manifest = other.manifest
            #expect(code { try group.read(altered.packed()) } != nil, "manifest of another")
            altered.signature = other.signature
            #expect(code { try group.read(altered.packed()) } != nil, "manifest and signature of another")
            altered = parts
            altered.signature = other.signature
            #expect(code { try group.read(altered.packed()) } != nil, "signature of another")
        }
    }

    @Test func anotherGenerationOrGroup() throws {
        let first = try group.read(group.bundle())
        let second = try group.read(group.bundle(2))
        try first.check(isOf: group.generation(), group: group.identity)
        #expect(code { try second.check(isOf: group.generation(), group: group.identity) } == .otherGeneration)
        let stranger = try Group()
        #expect(code { try first.check(isOf: stranger.generation(), group: stranger.identity) } == .otherGeneration)
        // The same generation, another group.
        #expect(code { try first.check(isOf: group.generation(), group: stranger.identity) } == .otherGeneration)
        // The same number and group, another identity.
        #expect(code { try first.check(isOf: stranger.generation(), group: group.identity) } == .otherGeneration)
        // One signer for two groups.
        let party = try Party.of(.p256)
        let (one, two) = (try Group("one", signer: party), try Group("two", signer: party))
        let bundle = try one.read(two.bundle())
        #expect(code { try bundle.check(isOf: one.generation(), group: one.identity) } == .otherGeneration)
    }

    /// Texts that the signer signed and that no keyroll writes.
    private static let changes: [(what: String, code: ArchiveError.Code, change: @Sendable (inout String) -> Void)] = [
        ("a newer format", .newerFormat, { $0.replace("\"format\" : 1", with: "\"format\" : 2") }),
        (
            "a newer format with names of its own", .newerFormat,
            { $0.replace("\"format\" : 1", with: "\"extra\" : {},\n  \"format\" : 99") }
        ),
        ("format 0", .malformed, { $0.replace("\"format\" : 1", with: "\"format\" : 0") }),
        ("a negative format", .malformed, { $0.replace("\"format\" : 1", with: "\"format\" : -1") }),
        ("a format that is text", .malformed, { $0.replace("\"format\" : 1", with: "\"format\" : \"1\"") }),
        ("a format with a fraction", .malformed, { $0.replace("\"format\" : 1", with: "\"format\" : 1.0") }),
        ("no format", .malformed, { $0.replace("  \"format\" : 1,\n", with: "") }),
        ("an unknown name", .malformed, { $0.replace("\"format\" : 1", with: "\"extra\" : 1,\n  \"format\" : 1") }),
        (
            "an unknown name deeper down", .malformed,
            { $0.replace("\"algorithm\" :", with: "\"a\" : 1,\n    \"algorithm\" :") }
        ),
        ("a name twice", .malformed, { $0.replace("\"format\" : 1", with: "\"format\" : 1,\n  \"format\" : 1") }),
        (
            "a name twice with another value", .malformed,
            { $0.replace("\"number\" : 1", with: "\"number\" : 2,\n    \"number\" : 1") }
        ),
        ("another order", .malformed, { $0 = reordered($0) }),
        ("another spacing", .malformed, { $0.replace("\"format\" : 1", with: "\"format\": 1") }),
        ("an escape that need not be", .malformed, { $0.replace("A256KW", with: "\\u0041256KW") }),
        ("no line end", .malformed, { $0.removeLast() }),
        ("two line ends", .malformed, { $0 += "\n" }),
        ("carriage returns", .malformed, { $0.replace("\n", with: "\r\n") }),
        ("a byte order mark", .malformed, { $0 = "\u{FEFF}" + $0 }),
        ("a comment", .malformed, { $0 += "// x\n" }),
        ("two texts", .malformed, { $0 += $0 }),
        ("nothing", .malformed, { $0 = "" }),
        ("an array", .malformed, { $0 = "[\($0)]" }),
        ("null", .malformed, { $0 = "null\n" }),
        ("a deep nest", .malformed, { $0 = String(repeating: "[", count: 200_000) }),
        (
            "a deep nest in its place", .malformed,
            { $0.replace("\"format\" : 1", with: "\"a\" : \(String(repeating: "{\"a\":", count: 30_000))") }
        ),
        ("generation 0", .malformed, { $0.replace("\"number\" : 1", with: "\"number\" : 0") }),
        ("a negative generation", .malformed, { $0.replace("\"number\" : 1", with: "\"number\" : -1") }),
        ("a generation beyond 32 bits", .malformed, { $0.replace("\"number\" : 1", with: "\"number\" : 4294967296") }),
        ("a number with an exponent", .malformed, { $0.replace("\"number\" : 1", with: "\"number\" : 1e0") }),
        ("another algorithm", .malformed, { $0.replace("A256KW", with: "A128KW") }),
        ("a state that is none", .malformed, { $0.replace("pre-activation", with: "pre-owned") }),
        ("a time that is none", .malformed, { $0.replace("\"at\" : \"2", with: "\"at\" : \"x") }),
        (
            "no history", .malformed,
            { $0 = without($0, "\"history\" : [", "],\n    \"id", "\"history\" : [\n\n    ],\n    \"id") }
        ),
        ("a check value in capitals", .malformed, { $0 = changingDigits($0, "checkValue") { "F" + $0.dropFirst() } }),
        ("a check value too short", .malformed, { $0 = changingDigits($0, "checkValue") { String($0.dropLast(2)) } }),
        ("an identity too long", .malformed, { $0 = changingDigits($0, "identity") { $0 + "00" } }),
        ("another member", .damaged, { $0.replace("generation.cms", with: "manifest.json") }),
        ("a path as the member", .damaged, { $0.replace("generation.cms", with: "../generation.cms") }),
        ("another length", .damaged, { $0.replace("\"bytes\" : ", with: "\"bytes\" : 1") }),
        ("another digest", .damaged, { $0 = changingDigits($0, "sha256") { String($0.reversed()) } }),
        ("a digest in capitals", .damaged, { $0 = changingDigits($0, "sha256") { $0.uppercased() } }),
    ]

    @Test(arguments: changes.indices) func manifestsThatNoKeyrollWrites(_ index: Int) throws {
        let (what, expected, change) = Self.changes[index]
        let forged = try group.forged(parts) { text in
            let before = text
            change(&text)
            #expect(text != before, "\(what): nothing was changed")
        }
        #expect(code { try group.read(forged) } == expected, "\(what)")
    }

    @Test func aSignedManifestThatIsInOrderIsRead() throws {
        let forged = try group.forged(parts) { $0.replace("\"name\" : \"test\"", with: "\"name\" : \"other\"") }
        #expect(try group.read(forged).manifest.group.name == "other")
    }

    @Test(arguments: [10_000, 1_000_000]) func moreGenerationsThanABundleHolds(_ count: Int) throws {
        // One history entry after the other: far beyond the most bytes of a manifest.
        let entry = "{\"at\":\"2026-01-01T00:00:00Z\",\"reason\":\"x\",\"sequence\":1,\"state\":\"active\"}"
        let history = [String](repeating: entry, count: count).joined(separator: ",")
        let manifest = Array("{\"format\":1,\"generation\":{\"history\":[\(history)]}}\n".utf8)
        let signer = try group.keeper.signer()
        var parts = parts
        parts.manifest = manifest
        parts.signature = try SignedMessage.sign(manifest, by: signer.certificate, signer.key, isDetached: true)
        let bytes = try BundleParts.seal(OtherFormats.zstd(Tar.pack(parts.members)))
        #expect(bytes.count < Bundle.limit, "it has to get to the reader")
        #expect(code { try group.read(bytes) } == .malformed)
    }

    /// What the envelope can hold instead of this generation's key.
    @Test func envelopesWithSomethingElse() throws {
        let generation = try group.generation()
        let key = hexadecimal(try group.keyBytes())
        let other = hexadecimal(try group.keyBytes(2))
        func text(
            _ version: String = "keyroll-generation-1", group: String? = nil, number: String = "1",
            identity: String? = nil, key text: String? = nil, end: String = "\n"
        ) -> String {
            """
            \(version)
            group \(group ?? self.group.identity.description)
            number \(number)
            identity \(identity ?? generation.identity.description)
            key \(text ?? key)
            """ + end
        }
        let good = text()
        let identity = try group.generation(2).identity.description
        let wrong = [
            text("keyroll-generation-2"), text(group: identity), text(number: "2"), text(number: "01"),
            text(number: "+1"), text(number: " 1"), text(identity: identity), text(key: other),
            text(key: key.uppercased()), text(key: String(key.dropLast(2))), text(key: key + "00"), text(end: ""),
            text(end: "\n\n"), text(end: "\r\n"), " " + good, good + good, "", "\n", String(repeating: "\n", count: 70),
            String(repeating: "x", count: 5000), good.uppercased(), "keyroll-generation-1\nkey \(key)\n",
        ]
        let openers: [RecipientEnvelope.Opener] = [
            try group.archiveOpener(), try Party.of(.p256).recoveryKey(withCertificate: false).opener,
        ]
        for opener in openers {
            #expect(try group.read(sealed(Array(good.utf8))).open(with: opener).keyBytes == group.keyBytes())
            for text in wrong {
                let bundle = try group.read(sealed(Array(text.utf8)))
                #expect(code { try bundle.open(with: opener) } == .damaged, "\(text.prefix(200))")
            }
        }
    }

    private func sealed(_ text: [UInt8]) throws -> [UInt8] {
        let archiveKey = try group.keeper.archiveKey()
        let envelope = try RecipientEnvelope.seal(
            SecureBytes(text),
            to: [
                .symmetricKey(archiveKey.key, identifier: archiveKey.identifier),
                .certificate(Party.of(.p256).certificate),
            ])
        return try group.forged(parts, envelope: envelope)
    }

    /// Envelopes that are none: without authentication, or no envelope at all.
    @Test func envelopesOfAnotherKind() throws {
        let party = try Party.of(.p256)
        let folder = group.folder
        try folder.write("text", Array("keyroll-generation-1\n".utf8))
        func made(_ options: [String]) throws -> [UInt8] {
            try Tool.run(
                ["openssl", "cms", "-binary", "-in", "text", "-outform", "DER", "-out", "made"] + options,
                in: folder.path)
            return try folder.bytes("made")
        }
        let envelopes = [
            try made(["-encrypt", "-aes-256-cbc", party.certificatePath]),
            try made(["-sign", "-nodetach", "-signer", party.certificatePath, "-inkey", party.keyPath]),
            try made(["-data_create"]), try made(["-digest_create"]),
            try made(["-EncryptedData_encrypt", "-secretkey", String(repeating: "00", count: 32), "-aes-256-cbc"]),
            [], [0], [UInt8](repeating: 0x30, count: 100_000), parts.envelope + [0],
            Array(parts.envelope.dropLast()), parts.envelope + parts.envelope,
        ]
        let opener = try party.recoveryKey(withCertificate: true).opener
        for (number, envelope) in envelopes.enumerated() {
            let bundle = try group.read(group.forged(parts, envelope: envelope))
            #expect(code { try bundle.open(with: opener) } == .damaged, "\(number)")
        }
    }

    /// Samples are the proof that the key opens messages: a forged one is seen.
    @Test func samplesThatDoNotOpen() throws {
        let bundle = try group.read(group.bundle())
        let other = try group.read(group.bundle(2))
        let changes: [(inout Manifest) -> Void] = [
            { $0.samples = other.manifest.samples }, { $0.samples[1].message = "" },
            { $0.samples[1].message = "not base64" }, { $0.samples[0].name += "x" },
            { $0.samples[0].plaintextSHA256 = $0.samples[1].plaintextSHA256 },
            { $0.samples[0].message = String($0.samples[0].message.dropLast(4)) },
            { $0.samples[0].message = $0.samples[1].message },
        ]
        for (number, change) in changes.enumerated() {
            var manifest = bundle.manifest
            manifest.member = try group.read(parts.packed()).manifest.member
            change(&manifest)
            let forged = try group.read(group.signed(parts, manifest: manifest.json()))
            #expect(code { try forged.open(with: group.archiveOpener()) } == .notRestorable, "\(number)")
        }
    }

    private static func without(_ text: String, _ from: String, _ to: String, _ replacement: String) -> String {
        guard let start = text.firstRange(of: from), let end = text[start.upperBound...].firstRange(of: to) else {
            return text
        }
        return text.replacingCharacters(start.lowerBound..<end.upperBound, replacement)
    }

    /// The digits of the first value with a name, altered.
    private static func changingDigits(_ text: String, _ name: String, _ change: (String) -> String) -> String {
        guard let start = text.firstRange(of: "\"\(name)\" : \""),
            let end = text[start.upperBound...].firstIndex(of: "\"")
        else { return text }
        return text.replacingCharacters(start.upperBound..<end, change(String(text[start.upperBound..<end])))
    }

    private static func reordered(_ text: String) -> String {
        let format = "  \"format\" : 1,\n"
        return text.replacing(format, with: "").replacing("{\n  \"generation\"", with: "{\n  \"generation\"")
            .replacing("  \"group\" : {", with: format + "  \"group\" : {")
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<Index>, _ replacement: String) -> String {
        String(self[..<range.lowerBound]) + replacement + self[range.upperBound...]
    }
}

extension Group {
    /// Another envelope under a manifest that knows of it and is signed.
    func forged(_ parts: BundleParts, envelope: [UInt8]) throws -> [UInt8] {
        var parts = parts
        let before = try hexadecimal(parts.envelope.withUnsafeBytes { try sha256($0) })
        let after = try hexadecimal(envelope.withUnsafeBytes { try sha256($0) })
        let lengths = ("\"bytes\" : \(parts.envelope.count)", "\"bytes\" : \(envelope.count)")
        parts.envelope = envelope
        return try forged(parts) {
            $0.replace(before, with: after)
            $0.replace(lengths.0, with: lengths.1)
        }
    }
}
