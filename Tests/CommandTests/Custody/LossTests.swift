import Foundation
import Testing

/// The loss of the root key, of the ring, or of both: with bundles and a recovery key everything comes back.
@Suite struct LossTests {
    /// Generations 1 and 2 are archived, 3 is active.
    private func home() throws -> (ScratchHome, Secrets) {
        let home = try ScratchHome.quick()
        let secrets = Secrets(60)
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
        try home.keyroll("rotate", "--force")
        return (home, secrets)
    }

    private func expectEverythingBack(
        _ home: ScratchHome, _ secrets: Secrets, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try home.expectContents(secrets, sourceLocation: sourceLocation)
        try home.expectBundlesWhole(sourceLocation: sourceLocation)
        let bundles = try home.knownBundles()
        #expect(bundles.keys.sorted() == [1, 2, 3], "\(bundles)", sourceLocation: sourceLocation)
        for bundle in bundles.values {
            try home.keyroll(
                "archive", "verify", bundle, "--key", home.recoveryKey, sourceLocation: sourceLocation)
        }
        try home.keyroll("archive", "rehearse", "--key", home.recoveryKey, sourceLocation: sourceLocation)
        let report: Report = try home.keyroll("rotate", "--force", "--json", sourceLocation: sourceLocation).decoded()
        #expect(report.addsUp && report.moved == 60, "\(report)", sourceLocation: sourceLocation)
        let census = try home.census()
        // Numbers go on where they were, and the generation before is retired: its recipient is proven.
        #expect(census.counts == [4: 60], sourceLocation: sourceLocation)
        #expect(
            census.generations.map(\.archived) == [true, true, true, false], "\(census)", sourceLocation: sourceLocation
        )
        try home.expectContents(secrets, sourceLocation: sourceLocation)
        try home.keyroll("doctor", sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ["root.key"], ["keys.sqlite", "keys-copy.sqlite"], ["root.key", "keys.sqlite", "keys-copy.sqlite"],
        ["root.key", "keys.sqlite"], ["root.key", "keys-copy.sqlite"],
    ]) func recovered(_ lost: [String]) throws {
        let (home, secrets) = try home()
        for name in lost { try home.remove(name) }
        #expect(try [69, 78].contains(home.keyroll.run(["verify"]).code))
        let outcome = try home.keyroll("recover", "--key", home.recoveryKey)
        #expect(outcome.text.contains("on line are generations 3"), "\(outcome.text)")
        try expectEverythingBack(home, secrets)
    }

    /// One of the two copies is enough, and no recovery is needed: it is refused.
    @Test(arguments: ["keys.sqlite", "keys-copy.sqlite"]) func oneCopyIsEnough(_ lost: String) throws {
        let (home, secrets) = try home()
        try home.remove(lost)
        try home.keyroll("recover", "--key", home.recoveryKey, exits: 73).expectRefusal("nothing to recover")
        try expectEverythingBack(home, secrets)
        #expect(home.has(lost))
    }

    @Test func bothCopiesDamaged() throws {
        let (home, secrets) = try home()
        for name in ["keys.sqlite", "keys-copy.sqlite"] {
            try Data(repeating: 7, count: 9000).write(to: URL(fileURLWithPath: home.file(name)))
            try home.setMode(name, 0o600)
        }
        try home.keyroll("recover", "--key", home.recoveryKey)
        try expectEverythingBack(home, secrets)
        // What could not be opened was put aside, not deleted.
        let aside = try FileManager.default.contentsOfDirectory(atPath: home.path).filter { $0.contains(".lost-") }
        #expect(aside.count == 2, "\(aside)")
    }

    @Test(arguments: [[], ["keys.sqlite"], ["keys-copy.sqlite"]]) func theWrongRootKeyIsALossToo(
        _ lost: [String]
    ) throws {
        let (home, secrets) = try home()
        let other = try ScratchHome()
        for name in lost { try home.remove(name) }
        try home.remove("root.key")
        try FileManager.default.copyItem(atPath: other.file("root.key"), toPath: home.file("root.key"))
        // The right one may only have been mixed up.
        let before = try home.files()
        try home.keyroll("recover", "--key", home.recoveryKey, exits: 77).expectRefusal("--replace-ring")
        #expect(try home.files() == before)
        try home.keyroll("recover", "--key", home.recoveryKey, "--replace-ring")
        try expectEverythingBack(home, secrets)
    }

    @Test(arguments: [["root.key"], ["keys.sqlite", "keys-copy.sqlite"]]) func theWrongRecoveryKey(
        _ lost: [String]
    ) throws {
        let (home, secrets) = try home()
        let stranger = try ScratchHome.guarded()
        for name in lost { try home.remove(name) }
        let before = try home.files()
        let outcome = try home.keyroll.run(["recover", "--key", stranger.recoveryKey])
        #expect([65, 66, 78].contains(outcome.code), "\(outcome)")
        outcome.expectRefusal("no bundle could be opened with this key")
        try home.keyroll("recover", exits: 64)
        #expect(try home.files() == before, "a refused recovery changes nothing")
        try home.keyroll("recover", "--key", home.recoveryKey)
        try expectEverythingBack(home, secrets)
    }

    /// What the unreadable ring says against a generation is believed; a compromise is not forgotten.
    @Test func aCompromiseIsNotForgotten() throws {
        let (home, secrets) = try home()
        let bundle = try home.bytes(home.bundle(2))
        try home.keyroll("generation", "compromise", "2", "--reason", "stolen")
        // The bundle from before does not know of it; the ring that nobody can open does.
        try bundle.write(to: URL(fileURLWithPath: home.bundle(2)))
        try home.remove("root.key")
        try home.keyroll("recover", "--key", home.recoveryKey)
        #expect(try home.census().generations.map(\.state) == ["deactivated", "compromised", "active"])
        try home.expectContents(secrets)
    }

    /// With no bundle of the generation that the store needs, nothing is changed.
    @Test func withoutTheBundle() throws {
        let (home, _) = try home()
        let bundle = try Data(contentsOf: URL(fileURLWithPath: home.bundle(3)))
        try FileManager.default.removeItem(atPath: home.bundle(3))
        try home.remove("root.key")
        let before = try home.files()
        let outcome = try home.keyroll.run(["recover", "--key", home.recoveryKey])
        #expect(outcome.code == 66, "\(outcome)")
        #expect(try home.files() == before)
        // A copy of it elsewhere will do.
        let elsewhere = try home.write("copy.keyroll.tar.zst", bundle)
        try home.keyroll("recover", "--key", home.recoveryKey, "--bundle", elsewhere)
        try home.expectAllOpen(60)
    }
}
