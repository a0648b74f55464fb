import Foundation
import Testing

/// `archive recipient`: whose keys open the bundles, and who has proven it.
@Suite struct RecipientTests {
    /// Answers a challenge with the real `openssl`.
    private func answer(_ challenge: Outcome, _ name: String, in folder: String) throws -> String {
        let file = "\(folder)/\(UUID().uuidString).answer"
        let outcome = try Tool.attempt(
            ["openssl", "cms", "-decrypt", "-inform", "PEM", "-inkey", "\(name).key", "-out", file],
            in: folder, input: challenge.output)
        #expect(outcome.code == 0, "\(outcome.errors)")
        return file
    }

    private func line(_ home: ScratchHome, _ name: String) throws -> String {
        try home.keyroll("archive", "recipient", "list").lines.first { $0.hasPrefix(name + "\t") } ?? ""
    }

    @Test(arguments: ["P-256", "P-384", "P-521", "rsa:2048", "rsa:3072"])
    func opensslAnswersAChallenge(_ kind: String) throws {
        let home = try ScratchHome()
        let certificate = try Tool.makeCertificate("alice", kind, in: home.folder)
        try home.keyroll("archive", "recipient", "add", "alice", "--certificate", certificate)
        #expect(try line(home, "alice").hasSuffix("\tNOT proven"))
        let fingerprint = try Tool.run(
            "openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256", in: home.folder
        ).text.split(separator: "=")[1].filter(\.isHexDigit).lowercased()
        #expect(try line(home, "alice").contains("\tcertificate\t\(fingerprint)\t"))

        let challenge = try home.keyroll("archive", "recipient", "prove", "alice")
        #expect(challenge.text.hasPrefix("-----BEGIN CMS-----\n"))
        let file = try answer(challenge, "alice", in: home.folder)
        try home.keyroll("archive", "recipient", "prove", "alice", "--answer", file)
        #expect(try line(home, "alice").contains("\tproven "))
        // Once is enough; the answer is worth nothing a second time.
        try home.keyroll("archive", "recipient", "prove", "alice", "--answer", file, exits: 77)
            .expectRefusal("was given no challenge")
        #expect(try line(home, "alice").contains("\tproven "))
    }

    @Test func falseAnswersAreRefused() throws {
        let home = try ScratchHome()
        for name in ["alice", "bob"] {
            try home.keyroll(
                "archive", "recipient", "add", name, "--certificate", Tool.makeCertificate(name, in: home.folder))
        }
        func prove(_ name: String, _ rest: String..., exits code: Int32) throws -> Outcome {
            let outcome = try home.keyroll.run(["archive", "recipient", "prove", name] + rest)
            #expect(outcome.code == code, "\(outcome.errors)")
            return outcome
        }
        try prove("alice", "--answer", home.write("early", "x"), exits: 77).expectRefusal("no challenge")
        let old = try answer(prove("alice", exits: 0), "alice", in: home.folder)
        let bobs = try answer(prove("bob", exits: 0), "bob", in: home.folder)
        let challenge = try prove("alice", exits: 0)
        let right = try answer(challenge, "alice", in: home.folder)
        let bytes = try home.bytes(right)
        let wrong: [Data] = [
            Data(), challenge.output, try home.bytes(old), try home.bytes(bobs), bytes.dropLast(), bytes + [10],
            Data(String(decoding: bytes, as: UTF8.self).uppercased().utf8), Data(bytes.reversed()),
        ]
        for (number, answer) in wrong.enumerated() {
            let file = try home.write("wrong-\(number)", answer)
            try prove("alice", "--answer", file, exits: 77).expectRefusal("not the answer")
        }
        #expect(try line(home, "alice").hasSuffix("NOT proven") && line(home, "bob").hasSuffix("NOT proven"))
        try prove("nobody", exits: 66).expectRefusal("no recipient is named 'nobody'")
        try prove("nobody", "--answer", right, exits: 66).expectRefusal("no recipient is named 'nobody'")
        // A stranger's key does not open it, neither here nor with openssl.
        try prove("alice", "--key", home.folder + "/bob.key", exits: 78).expectRefusal("does not open")
        let stranger = try Tool.attempt(
            ["openssl", "cms", "-decrypt", "-inform", "PEM", "-inkey", "bob.key"], in: home.folder,
            input: challenge.output)
        #expect(stranger.code != 0)
        // That was another challenge, so that the answer to the one before does not count any more.
        try prove("alice", "--answer", right, exits: 77).expectRefusal("not the answer")
        _ = try prove("alice", "--answer", answer(prove("alice", exits: 0), "alice", in: home.folder), exits: 0)
        #expect(try line(home, "alice").contains("\tproven ") && line(home, "bob").hasSuffix("NOT proven"))
    }

    @Test func certificatesThatAreRefused() throws {
        let home = try ScratchHome()
        let certificate = try Tool.makeCertificate("alice", in: home.folder)
        func add(_ name: String, _ certificate: String, exits code: Int32) throws -> Outcome {
            try home.keyroll("archive", "recipient", "add", name, "--certificate", certificate, exits: code)
        }
        _ = try add("alice", certificate, exits: 0)
        try add("alice", Tool.makeCertificate("other", in: home.folder), exits: 73).expectRefusal("already")
        try add("alice-2", certificate, exits: 73).expectRefusal("already")
        try add("short", Tool.makeCertificate("short", "rsa:1024", in: home.folder), exits: 65).expectRefusal("2048")
        try add("edwards", Tool.makeCertificate("edwards", "ed25519", in: home.folder), exits: 65)
            .expectRefusal("P-256")
        try add("koblitz", Tool.makeCertificate("koblitz", "P-256", in: home.folder), exits: 0).expectErrors([])
        try add("key", home.folder + "/alice.key", exits: 65).expectRefusal("no X.509 certificate")
        try add("text", home.write("text", "x"), exits: 65).expectRefusal("no X.509 certificate")
        for name in ["", "new\nline", String(repeating: "x", count: 65)] { _ = try add(name, certificate, exits: 64) }
        #expect(try home.keyroll("archive", "recipient", "list").lines.count == 3)
    }

    @Test func theArchiveKeyIsProvenByItsCopy() throws {
        let home = try ScratchHome()
        let file = home.folder + "/archive.key"
        try home.keyroll("archive", "recipient", "export", file)
        try home.keyroll("archive", "recipient", "export", file, exits: 73).expectRefusal(file)
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let other = try ScratchHome()
        try other.keyroll("archive", "recipient", "export", other.folder + "/archive.key")
        try home.keyroll(
            "archive", "recipient", "prove", "archive-key", "--key", other.folder + "/archive.key", exits: 78)
        #expect(try line(home, "archive-key").hasSuffix("NOT proven"))
        // The challenge on paper is answered with nothing but openssl, too.
        let challenge = try home.keyroll("archive", "recipient", "prove", "archive-key")
        let words = String(decoding: try home.bytes(file), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        let answer = home.folder + "/answer"
        let outcome = try Tool.attempt(
            [
                "openssl", "cms", "-decrypt", "-inform", "PEM", "-secretkey", String(words[2]), "-secretkeyid",
                String(words[1]), "-out", answer,
            ], in: home.folder, input: challenge.output)
        #expect(outcome.code == 0, "\(outcome.errors)")
        try home.keyroll("archive", "recipient", "prove", "archive-key", "--answer", answer)
        #expect(try line(home, "archive-key").contains("\tproven "))
        let again = try ScratchHome()
        try again.keyroll("archive", "recipient", "export", again.folder + "/archive.key")
        try again.keyroll("archive", "recipient", "prove", "archive-key", "--key", again.folder + "/archive.key")
        #expect(try line(again, "archive-key").contains("\tproven "))
    }

    /// An encrypted recovery key, whose passphrase comes through a descriptor.
    @Test func anEncryptedKeyProves() throws {
        let home = try ScratchHome()
        let certificate = try Tool.makeCertificate("alice", in: home.folder)
        try home.keyroll("archive", "recipient", "add", "alice", "--certificate", certificate)
        try Tool.run(
            "openssl", "pkey", "-in", "alice.key", "-aes256", "-passout", "pass:long enough", "-out", "locked.key",
            in: home.folder)
        func prove(_ passphrase: String?, exits code: Int32) throws -> Outcome {
            let option = passphrase == nil ? [] : ["--key-passphrase-fd", "9"]
            let outcome = try home.keyroll.run(
                ["archive", "recipient", "prove", "alice", "--key", home.folder + "/locked.key"] + option,
                descriptors: passphrase.map { [9: Data($0.utf8)] } ?? [:])
            #expect(outcome.code == code, "\(outcome.errors)")
            return outcome
        }
        try prove("wrong", exits: 65).expectRefusal("passphrase")
        _ = try prove(nil, exits: 69)
        #expect(try line(home, "alice").hasSuffix("NOT proven"))
        _ = try prove("long enough\n", exits: 0)
        #expect(try line(home, "alice").contains("\tproven "))
    }

    /// A recipient that comes later opens all bundles, those of archived generations included.
    @Test(arguments: [["rotate"], ["archive", "create"]])
    func addedLater(_ command: [String]) throws {
        let home = try ScratchHome.withRecoveryKey()
        let secrets = Secrets(3)
        try home.fill(secrets)
        for _ in 0..<2 { try home.keyroll("rotate", "--force") }
        #expect(try home.census().generations.map(\.archived) == [true, true, false])
        let certificate = try Tool.makeCertificate("later", "rsa:2048", in: home.folder)
        try home.keyroll("archive", "recipient", "add", "later", "--certificate", certificate)
        let key = home.folder + "/later.key"
        for number in 1...3 { try home.keyroll("archive", "verify", home.bundle(number), "--key", key, exits: 78) }
        let outcome = try home.keyroll.run(command)
        #expect(outcome.code == 0, "\(outcome.errors)")
        for number in 1...3 {
            for key in [key, home.recoveryKey] {
                try home.keyroll("archive", "verify", home.bundle(number), "--key", key)
            }
        }
        try home.keyroll("archive", "verify")
        #expect(try home.keyroll("archive", "list").lines.allSatisfy { $0.hasSuffix("recovery-key, later") })
        // The census of its retirement is kept.
        let manifest = try home.keyroll("archive", "inspect", home.bundle(1)).object()
        #expect((manifest["census"] as? [String: Any])?["live"] as? Int == 0)
        #expect(try home.census().generations.map(\.archived) == [true, true, false])
        try home.expectContents(secrets)
    }
}
