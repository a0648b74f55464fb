import Foundation
import Testing

/// What comes after a recovery: another one, a destruction, evidence that was cut.
@Suite struct RepeatedRecoveryTests {
    /// A second recovery needs the signer of the first; without it nothing is changed, and nothing is left out silently.
    @Test func theNewSignerHasToBeNamed() throws {
        let home = try ScratchHome.quick()
        try home.fill(Secrets(5))
        try home.remove("root.key")
        #expect(try home.keyroll("recover", "--key", home.recoveryKey).errors.contains("identity/signer.pem"))
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "activate", "2")
        try home.keyroll("put", "later", input: Data("later".utf8))
        try home.remove("root.key")
        let before = try home.files()
        try home.keyroll("recover", "--key", home.recoveryKey, exits: 66)
            .expectRefusal("generation 2", "not trusted", "--signer")
        #expect(try home.files() == before)
        try home.keyroll("recover", "--key", home.recoveryKey, "--signer", home.signer)
        #expect(try home.keyroll("get", "later").output == Data("later".utf8))
        try home.expectAllOpen(6)
    }

    /// Bundles of the ring before are bundles of the generation, too.
    @Test func destroyingRemovesEveryBundle() throws {
        let home = try ScratchHome.quick()
        let secrets = Secrets(5)
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
        try home.remove("root.key")
        try home.keyroll("recover", "--key", home.recoveryKey)
        func bundles(_ number: Int) throws -> Int {
            try home.bundles().keys.filter { $0.contains("-g\(number)") }.count
        }
        #expect(try bundles(1) == 2 && bundles(2) == 2)
        try home.keyroll("rotate")
        try home.keyroll("generation", "destroy", "1")
        Thread.sleep(forTimeInterval: 1.1)
        let outcome = try home.keyroll("generation", "destroy", "1", "--confirm", "1")
        #expect(outcome.text.contains(".lost-"), "what was put aside is named: \(outcome.text)")
        #expect(try bundles(1) == 0 && bundles(2) == 2)
        try home.expectContents(secrets)
        try home.keyroll("doctor")
    }

    /// A destruction that was asked for is taken over with its bundle, so that it can still be taken back.
    @Test func aWaitingDestructionCanBeTakenBack() throws {
        let home = try ScratchHome.quick(["destroyRetention": "9d"])
        try home.fill(Secrets(5))
        try home.keyroll("rotate", "--force")
        try home.keyroll("generation", "destroy", "1")
        try home.remove("root.key")
        try home.keyroll("recover", "--key", home.recoveryKey)
        let restore = ["archive", "restore", "--generation", "1", "--for", "1h", "--reason", "a test"]
        #expect(try home.keyroll.run(restore).code == 77)
        try home.keyroll("generation", "destroy", "1", "--cancel")
        #expect(try home.keyroll.run(restore).code == 0)
        try home.keyroll("archive", "create", "1")
        try home.keyroll("backup", home.folder + "/backup")
    }

    /// Jobs do not heal what was cut off; somebody has to say that he looked into it.
    @Test func evidenceThatWasCutStaysNoticed() throws {
        let home = try ScratchHome.quick()
        try home.fill(Secrets(5))
        try home.keyroll("rotate", "--force")
        try home.remove("evidence.jsonl")
        #expect(try home.keyroll("rotate", "--force", exits: 65).errors.contains("--begin-anew"))
        try home.keyroll("report", exits: 65)
        try home.keyroll("doctor", exits: 3)
        try home.keyroll("report", "--begin-anew", "the disk was cleaned")
        try home.keyroll("doctor")
        try home.keyroll("rotate", "--force")
        #expect(try home.keyroll("report").text.contains("begin anew"))
        try home.expectAllOpen(5)
    }
}
