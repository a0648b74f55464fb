import Archives
import Cryptography
import Files
import ForgedArchives
import Foundation
import KeyManagement
import Testing

/// What is in a bundle, and how its file is written.
@Suite struct BundleTests {
    @Test func theManifestSaysWhatTheRingSays() throws {
        let group = try Group("Grüppe \"1\"/\n", recipients: [Party.of(.p256)], generations: 3)
        let moment = Timestamp(rawValue: 1_800_000_000)
        let census = Manifest.Census(at: moment, live: 0, quarantined: 2, copies: 7)
        try group.keeper.update { try $0.note(.ofNothing, of: 2) }
        try group.keeper.update { try $0.activate(2, at: moment, reason: "a ☃ reason") }
        let bundle = try group.read(group.bundle(2, census: census, at: moment))
        let manifest = bundle.manifest
        let generation = try group.generation(2)
        #expect(manifest.format == 1 && manifest.group.name == group.keeper.keyring.ring.name)
        #expect(bundle.group == group.identity && bundle.identity == generation.identity && bundle.number == 2)
        #expect(bundle.checkValue == generation.checkValue && bundle.history == generation.history)
        #expect(bundle.history.map(\.state) == [.preActivation, .active] && manifest.generation.state == "active")
        #expect(manifest.census == census && manifest.written == "2027-01-15T08:00:00Z")
        #expect(manifest.generation.algorithm == "A256KW" && manifest.samples.count == 2)
        #expect(try BundleParts(group.bundle()).manifest.count < 4096)
    }

    /// The same generation at the same moment: nothing differs but what has to be random.
    @Test func theSameInputGivesTheSameManifest() throws {
        let group = try Group(recipients: [Party.of(.p256), Party.of(.rsa2048)])
        let moment = Timestamp(rawValue: 1_800_000_000)
        let bundles = try (0..<3).map { _ in try group.bundle(at: moment) }
        var manifests = try bundles.map { try group.read($0).manifest }
        #expect(manifests[0] != manifests[1], "samples and envelope are random")
        for index in manifests.indices {
            manifests[index].samples = manifests[0].samples
            manifests[index].member = manifests[0].member
        }
        let texts = try manifests.map { try $0.json() }
        #expect(texts[0] == texts[1] && texts[1] == texts[2])
        #expect(texts[0] == (try BundleParts(bundles[0]).manifest))
        // The names are sorted, as RFC 8785 has them.
        let object = try #require(try JSONSerialization.jsonObject(with: Data(texts[0])) as? [String: Any])
        let keys = ["format", "generation", "group", "member", "recipients", "samples", "written"]
        #expect(object.keys.sorted() == keys)
    }

    /// What went into it does not come out of it in clear: neither key nor archive key.
    @Test func noKeyIsInClear() throws {
        let group = try Group(recipients: [Party.of(.rsa2048)])
        let parts = try BundleParts(group.bundle())
        let archiveKey = try group.keeper.archiveKey().key.bytes.withUnsafeBytes { Array($0) }
        for secret in [try group.keyBytes(), archiveKey] {
            let digits = Array(hexadecimal(secret).utf8)
            for member in [parts.manifest, parts.signature, parts.envelope] {
                #expect(!member.contains(secret) && !member.contains(digits))
            }
        }
    }

    /// What `tar` and `zstd` make of the members counts as well, since the signature is what matters.
    @Test func packedByHandIsABundle() throws {
        let group = try Group()
        let parts = try BundleParts(group.bundle())
        for (name, bytes) in zip(BundleParts.names, parts.members.map(\.bytes)) { try group.folder.write(name, bytes) }
        for names in [BundleParts.names, BundleParts.names.reversed()] {
            try Tool.run(["tar", "--format=ustar", "--mode=600", "-cf", "bundle.tar"] + names, in: group.folder.path)
            try Tool.run(["zstd", "-q", "-f", "bundle.tar", "-o", "bundle.tar.zst"], in: group.folder.path)
            let bundle = try group.read(BundleParts.seal(group.folder.bytes("bundle.tar.zst")))
            #expect(try bundle.open(with: group.archiveOpener()).keyBytes == group.keyBytes())
        }
    }

    /// And `tar` and `zstd` unpack what keyroll wrote, the digest at the end included.
    @Test func tarAndZstdUnpackIt() throws {
        let group = try Group()
        let bytes = try group.bundle()
        let file = try group.folder.write("bundle.tar.zst", bytes)
        try Tool.run(["zstd", "-q", "-t", file], in: group.folder.path)
        try Tool.run(["mkdir", "out"], in: group.folder.path)
        try Tool.run(["tar", "--zstd", "-xf", file, "-C", "out"], in: group.folder.path)
        let parts = try BundleParts(bytes)
        for (name, expected) in zip(BundleParts.names, parts.members.map(\.bytes)) {
            #expect(try group.folder.bytes("out/" + name) == expected)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: group.folder.path + "/out")
        #expect(Set(names) == Set(BundleParts.names))
    }

    @Test(arguments: [
        ("group", "group"), ("a/b", "a_b"), ("../../etc", "______etc"), ("ä ö", "___"), (".hidden", "_hidden"),
        ("A-b_9", "A-b_9"), ("", ""), (String(repeating: "x", count: 128), String(repeating: "x", count: 64)),
        ("new\nline\u{0}", "new_line_"),
    ])
    func fileNames(_ group: String, _ expected: String) {
        #expect(BundleFile.name(group: group, number: 7, epoch: "") == expected + "-g7.keyroll.tar.zst")
    }

    @Test func aFileIsThereWholeOrNotAtAll() throws {
        let group = try Group()
        let folder = try TemporaryFolder()
        let path = folder.path + "/bundle"
        #expect(code { try BundleFile.read(path) } == .noSuchBundle)
        func write(_ bytes: [UInt8]) throws {
            let draft = try BundleFile.draft(path, bytes)
            try BundleFile.sync([draft])
            #expect(try BundleFile.read(draft) == bytes)
            try BundleFile.place(draft)
        }
        let discarded = try BundleFile.draft(path, group.bundle())
        #expect(try folder.names().count == 1 && !PrivateFile.exists(path))
        BundleFile.discard([discarded])
        #expect(try folder.names() == [])
        let first = try group.bundle()
        try write(first)
        #expect(try BundleFile.read(path) == first && folder.names() == ["bundle"])
        let second = try group.bundle()
        try write(second)
        #expect(try BundleFile.read(path) == second && folder.names() == ["bundle"])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try BundleFile.load(path, trusted: group.trusted()).place == path)
    }

    @Test func largerThanAnyBundle() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("large", [UInt8](repeating: 0, count: Bundle.limit + 1))
        #expect(code { try BundleFile.read(file) } == .malformed)
        #expect(code { try Bundle([UInt8](repeating: 0, count: 2 << 20), place: "", trusted: []) } == .malformed)
        truncate(file, 10 << 30)
        #expect(code { try BundleFile.read(file) } == .malformed)
    }
}

extension Escrow {
    /// A bundle that is none.
    static var ofNothing: Escrow {
        Escrow(
            file: "none", digest: [UInt8](repeating: 0, count: 32), written: .now, recipients: [], rehearsed: nil)
    }
}
