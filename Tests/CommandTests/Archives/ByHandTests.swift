import Foundation
import Testing

/// Without keyroll: `tar`, `zstd` and `openssl` give the generation's key, and an independent COSE library opens with it
/// what was exported long ago.
@Suite struct ByHandTests {
    private func script(_ arguments: String...) throws -> Outcome {
        try Tool.attempt([Python.package + "/Tests/interop/open_bundle_by_hand.sh"] + arguments, in: "/tmp")
    }

    @Test func anOldSecretOpens() throws {
        let home = try ScratchHome.withRecoveryKey()
        let plaintext = Data("an old plaintext \u{1F511}".utf8)
        try home.keyroll("put", "old/secret", "--context", "row 7", input: plaintext)
        let export = try home.keyroll("export", "--format", "cose").output
        try home.keyroll("rotate", "--force")
        #expect(try home.census().generations.map(\.archived) == [true, false])
        let archiveKey = home.folder + "/archive.key"
        try home.keyroll("archive", "recipient", "export", archiveKey)
        let rsa = try Tool.makeCertificate("rsa", "rsa:3072", in: home.folder)
        try home.keyroll("archive", "recipient", "add", "rsa", "--certificate", rsa)
        try home.keyroll("archive", "create")
        for key in [home.recoveryKey, archiveKey, home.folder + "/rsa.key"] {
            let opened = try script(home.bundle(1), home.signer, key)
            #expect(opened.code == 0 && opened.errors.isEmpty, "\(opened.errors)")
            #expect(opened.text.wholeMatch(of: /[0-9a-f]{64}\n/) != nil)
            let file = try home.write("generation.key", opened.output)
            let answer = try Python.script("open_cose.py", "--key-file", file, input: export).object()
            #expect((answer["plaintext"] as? String).flatMap { Data(base64Encoded: $0) } == plaintext)
            #expect(answer["name"] as? String == "old/secret" && answer["generation"] as? Int == 1)
            for refusal in ["refusesOtherAAD", "refusesOtherKey", "refusesAlteredContent"] {
                #expect(answer[refusal] as? Bool == true)
            }
        }
        // The key of the other generation does not open it.
        let other = try script(home.bundle(2), home.signer, home.recoveryKey)
        let file = try home.write("generation.key", other.output)
        #expect(try Python.attempt("open_cose.py", ["--key-file", file], input: export).code != 0)
    }

    @Test func whatIsNotRightGivesNoKey() throws {
        let home = try ScratchHome.withRecoveryKey()
        let other = try ScratchHome.withRecoveryKey()
        func expectRefusal(_ bundle: String, _ signer: String, _ key: String, says text: String) throws {
            let outcome = try script(bundle, signer, key)
            #expect(outcome.code != 0 && outcome.output.isEmpty && outcome.errors.contains(text), "\(outcome)")
        }
        #expect(try script(home.bundle(1), home.signer, home.recoveryKey).code == 0)
        try expectRefusal(home.bundle(1), other.signer, home.recoveryKey, says: "signature is wrong")
        try expectRefusal(home.bundle(1), home.signer, other.recoveryKey, says: "the key does not open")
        // Manifest and signature are right, and generation.cms is another's.
        for (name, from) in [("own", home), ("others", other)] {
            try FileManager.default.createDirectory(
                atPath: home.folder + "/" + name, withIntermediateDirectories: false)
            try Tool.run("tar", "--zstd", "-xf", from.bundle(1), in: home.folder + "/" + name)
        }
        try home.bytes(home.folder + "/others/generation.cms").write(
            to: URL(fileURLWithPath: home.folder + "/own/generation.cms"))
        try Tool.run(
            "tar", "--zstd", "-cf", "../mixed", "manifest.json", "manifest.json.p7s", "generation.cms",
            in: home.folder + "/own")
        try expectRefusal(home.folder + "/mixed", home.signer, home.recoveryKey, says: "not the one that was signed")
        // A manifest that was altered.
        let manifest = home.folder + "/own/manifest.json"
        try Tool.run("sed", "-i", "s/default/another/", manifest, in: home.folder)
        try Tool.run(
            "tar", "--zstd", "-cf", "../mixed", "manifest.json", "manifest.json.p7s", "generation.cms",
            in: home.folder + "/own")
        try expectRefusal(home.folder + "/mixed", home.signer, home.recoveryKey, says: "signature is wrong")
        #expect(try script().code == 64)
    }
}
