import ForgedArchives
import Foundation
import Testing

/// `archive create`, `verify`, `inspect`, `list` and `restore`, and how they end.
@Suite struct BundleTests {
    private static func flip(_ path: String, at offset: Int) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[offset] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    @Test func everyGenerationHasItsBundle() throws {
        let home = try ScratchHome.withRecoveryKey()
        try home.fill(Secrets(3))
        for _ in 0..<2 { try home.keyroll("rotate", "--force") }
        #expect(try home.census().generations.map(\.archived) == [true, true, false])
        let verified = try home.keyroll("archive", "verify")
        #expect(verified.lines == (1...3).map { "ok: \(home.bundle($0)): generation \($0) of 'default'" })
        let listed = try home.keyroll("archive", "list").lines
        #expect(listed.count == 3)
        for (number, line) in zip(1...3, listed) {
            #expect(line.hasPrefix(home.bundle(number) + "\tgeneration \(number)\t"))
            #expect(line.contains(number == 3 ? "\ton line\t" : "\tarchived\t"))
            #expect(line.hasSuffix("opens with archive-key, recovery-key") && !line.contains("restorable never"))
        }
        for name in try home.bundles().keys {
            let attributes = try FileManager.default.attributesOfItem(atPath: home.file("bundles/" + name))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        try home.keyroll("archive", "rehearse")
        try home.keyroll("archive", "rehearse", "--key", home.recoveryKey)
    }

    /// Without a home: the signer's certificate is enough, and so is the recovery key's file, which has it in it.
    @Test func filesAreVerifiedAnywhere() throws {
        let home = try ScratchHome.withRecoveryKey()
        let elsewhere = Keyroll(home: home.folder + "/none")
        let file = home.bundle(1)
        try elsewhere("archive", "verify", file, "--signer", home.signer)
        try elsewhere("archive", "verify", file, file, "--key", home.recoveryKey)
        try elsewhere("archive", "verify", file, exits: 64).expectRefusal("--signer")
        let inspected = try elsewhere("archive", "inspect", file, "--signer", home.signer)
        let parts = try BundleParts(Array(home.bytes(file)))
        #expect(Array(inspected.output) == parts.manifest)
        #expect(try inspected.object()["format"] as? Int == 1)
        #expect(inspected.errors.contains("signed by CN=keyroll signer of default, SHA-256 "))
        #expect(!FileManager.default.fileExists(atPath: elsewhere.home))
    }

    @Test func damaged() throws {
        let home = try ScratchHome.withRecoveryKey()
        let length = try home.bytes(home.bundle(1)).count
        for offset in [0, 5, length / 2, length - 41, length - 40, length - 1] {
            let file = try home.write("damaged", home.bytes(home.bundle(1)))
            try Self.flip(file, at: offset)
            let outcome = try home.keyroll("archive", "verify", file, exits: 65)
            outcome.expectRefusal(file)
            try home.keyroll("archive", "inspect", file, exits: 65).expectRefusal(file)
            try home.keyroll("archive", "verify", file, "--key", home.recoveryKey, exits: 65).expectRefusal(file)
        }
        for count in [0, 1, 40, 41, length - 1] {
            let file = try home.write("damaged", home.bytes(home.bundle(1)).prefix(count))
            try home.keyroll("archive", "verify", file, exits: 65).expectRefusal(file)
        }
        // One of several: the others are verified all the same.
        let both = try home.keyroll("archive", "verify", home.folder + "/damaged", home.bundle(1), exits: 65)
        #expect(both.lines == ["ok: \(home.bundle(1)): generation 1 of 'default'"] && both.errorLines.count == 1)
        // The home's own.
        try Self.flip(home.bundle(1), at: 100)
        try home.keyroll("archive", "verify", exits: 65).expectRefusal(home.bundle(1))
        try home.keyroll("archive", "rehearse", exits: 65)
        // It is written anew while its key is on line.
        try home.keyroll("archive", "create", "1")
        try home.keyroll("archive", "verify")
    }

    @Test func missing() throws {
        let home = try ScratchHome.withRecoveryKey()
        for command in ["verify", "inspect"] {
            try home.keyroll("archive", command, home.folder + "/none", exits: 66).expectRefusal("no such bundle")
        }
        try FileManager.default.removeItem(atPath: home.bundle(1))
        try home.keyroll("archive", "verify", exits: 66).expectRefusal(home.bundle(1))
        try home.keyroll("archive", "create", "7", exits: 66).expectRefusal("no generation 7")
        try home.keyroll("archive", "create")
        try home.keyroll("archive", "verify")
    }

    /// A folder, a pipe or a device is no bundle, and nobody waits for one.
    @Test func otherFiles() throws {
        let home = try ScratchHome.withRecoveryKey()
        try Tool.run("mkfifo", "pipe", in: home.folder)
        for path in [home.folder, home.folder + "/pipe", "/dev/zero"] {
            try home.keyroll("archive", "verify", path, exits: 78).expectRefusal(path)
        }
        try Tool.run("truncate", "-s", "10G", "sparse", in: home.folder)
        try home.keyroll("archive", "verify", home.folder + "/sparse", exits: 65).expectRefusal("larger")
    }

    @Test func unknownSigner() throws {
        let home = try ScratchHome.withRecoveryKey()
        let other = try ScratchHome.withRecoveryKey()
        try home.keyroll("archive", "verify", other.bundle(1), exits: 78).expectRefusal("--signer")
        try home.keyroll("archive", "inspect", other.bundle(1), exits: 78).expectRefusal("--signer")
        try home.keyroll("archive", "verify", other.bundle(1), "--signer", other.signer)
        let elsewhere = Keyroll(home: home.folder + "/none")
        try elsewhere("archive", "verify", home.bundle(1), "--signer", other.signer, exits: 78)
            .expectRefusal("not trusted")
    }

    @Test func wrongKey() throws {
        let home = try ScratchHome.withRecoveryKey()
        let other = try ScratchHome.withRecoveryKey()
        try home.keyroll("archive", "verify", home.bundle(1), "--key", home.recoveryKey)
        try home.keyroll("archive", "verify", home.bundle(1), "--key", other.recoveryKey, exits: 78)
            .expectRefusal("archive-key, recovery-key")
        let archiveKey = other.folder + "/archive.key"
        try other.keyroll("archive", "recipient", "export", archiveKey)
        try home.keyroll("archive", "verify", home.bundle(1), "--key", archiveKey, exits: 78)
        try home.keyroll("archive", "rehearse", "--key", other.recoveryKey, exits: 65)
        let noKey = try home.write("no.key", "nothing")
        try home.keyroll("archive", "verify", home.bundle(1), "--key", noKey, exits: 65).expectRefusal(noKey)
    }

    /// Two homes whose operator signs for both.
    @Test func otherGroupWithTheSameSigner() throws {
        let folder = try ScratchHome(isMade: false)
        let certificate = try Tool.makeCertificate("signer", "rsa:2048", in: folder.folder)
        let options = ["--signer-certificate", certificate, "--signer-key", folder.folder + "/signer.key"]
        let home = try ScratchHome.withRecoveryKey(group: "default", options[0], options[1], options[2], options[3])
        let other = try ScratchHome.withRecoveryKey(group: "default", options[0], options[1], options[2], options[3])
        #expect(try home.bytes(home.signer) == home.bytes(certificate))
        let text = try home.keyroll("archive", "inspect", home.bundle(1), "--signer", certificate)
        #expect(text.errors.contains("signed by CN=signer,"))
        try home.fill(Secrets(1))
        try home.keyroll("rotate", "--force")
        // As a file it is in order; as this home's it is not.
        try home.keyroll("archive", "verify", other.bundle(1))
        try home.keyroll(
            "archive", "restore", other.bundle(1), "--generation", "1", "--for", "1h", "--reason", "x", exits: 78
        ).expectRefusal("another group")
        let own = try home.bytes(home.bundle(1))
        try other.bytes(other.bundle(1)).write(to: URL(fileURLWithPath: home.bundle(1)))
        try home.keyroll("archive", "verify", exits: 78)
        try home.bytes(home.bundle(2)).write(to: URL(fileURLWithPath: home.bundle(1)))
        try home.keyroll("archive", "verify", exits: 78)
        try own.write(to: URL(fileURLWithPath: home.bundle(1)))
        try home.keyroll("archive", "verify")
    }

    /// A manifest that the operator's key signed and that a later keyroll wrote.
    @Test func newerFormat() throws {
        let folder = try ScratchHome(isMade: false)
        let certificate = try Tool.makeCertificate("signer", in: folder.folder)
        let home = try ScratchHome.withRecoveryKey(
            "--signer-certificate", certificate, "--signer-key", folder.folder + "/signer.key")
        var parts = try BundleParts(Array(home.bytes(home.bundle(1))))
        let text = String(decoding: parts.manifest, as: UTF8.self)
        parts.manifest = Array(text.replacing("\"format\" : 1", with: "\"format\" : 2").utf8)
        try folder.write("manifest", Data(parts.manifest))
        try Tool.run(
            "openssl", "cms", "-sign", "-binary", "-in", "manifest", "-outform", "DER", "-out", "signature", "-signer",
            "signer.pem", "-inkey", "signer.key", in: folder.folder)
        parts.signature = Array(try folder.bytes(folder.folder + "/signature"))
        let file = try folder.write("newer", Data(parts.packed()))
        try home.keyroll("archive", "verify", file, exits: 78).expectRefusal("newer keyroll (format 2)")
        try home.keyroll("archive", "inspect", file, exits: 78).expectRefusal("newer keyroll (format 2)")
    }

    @Test func restoredOnceAndForATime() throws {
        let home = try ScratchHome.withRecoveryKey()
        try home.fill(Secrets(2))
        try home.keyroll("rotate", "--force")
        func restore(_ number: Int, _ rest: String..., exits code: Int32 = 0) throws -> Outcome {
            let outcome = try home.keyroll.run(
                ["archive", "restore", "--generation", "\(number)", "--for", "1h", "--reason", "audit"] + rest)
            #expect(outcome.code == code, "\(outcome.errors)")
            return outcome
        }
        try restore(2, exits: 77).expectRefusal("generation 2 is active")
        try restore(9, exits: 66).expectRefusal("generation 9")
        try restore(1, home.bundle(2), exits: 78).expectRefusal("holds generation 2, not 1")
        try restore(1, home.folder + "/none", exits: 66).expectRefusal("no such bundle")
        #expect(try restore(1, "--key", home.recoveryKey).text.contains("only unprotects"))
        try restore(1, exits: 73).expectRefusal("restored already")
        try home.expectAllOpen(2)
    }

    /// A crash between the new bundle and the ring's note of it: the bundle is right, and the ring knows another digest.
    @Test(arguments: [false, true]) func aBundleThatTheRingHasNotNoted(isArchived: Bool) throws {
        let home = try ScratchHome.withRecoveryKey()
        try home.fill(Secrets(2))
        if isArchived { try home.keyroll("rotate", "--force") }
        let copy = try home.copied()
        try copy.keyroll("archive", "create", "1")
        try copy.bytes(copy.bundle(1)).write(to: URL(fileURLWithPath: home.bundle(1)))
        // Signed, the same generation, and everybody of today can open it: it is as good as the one that was noted.
        try home.keyroll("archive", "verify")
        try home.keyroll("archive", "create", "1")
        try home.keyroll("archive", "verify")
        try home.keyroll("archive", "verify", home.bundle(1), "--key", home.recoveryKey)
    }
}
