import Foundation
import Testing

/// An archived generation comes back for a time: it only unprotects, and goes off line by itself.
@Suite struct RestorationTests {
    private static let plaintext = Data("plaintext".utf8)
    private static let day = 86400
    private let home: ScratchHome
    private let secrets = Secrets(20)
    /// A copy of the store from when generation 1 was active.
    private let oldStore: String

    /// Generation 1 is archived, 2 is active.
    init() throws {
        home = try ScratchHome.quick()
        try home.fill(secrets)
        try home.copy(["secrets.sqlite"], to: home.folder + "/old")
        oldStore = home.folder + "/old/secrets.sqlite"
        try home.keyroll("rotate", "--force")
    }

    private func restore(
        _ duration: String, exits code: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try home.keyroll(
            "archive", "restore", "--generation", "1", "--for", duration, "--reason", "an old copy", exits: code,
            sourceLocation: sourceLocation)
    }

    /// Puts the old copy of the store in the place of today's.
    private func putOldStore() throws {
        for suffix in ["", "-wal", "-shm"] where home.has("secrets.sqlite" + suffix) {
            try home.remove("secrets.sqlite" + suffix)
        }
        try FileManager.default.copyItem(atPath: oldStore, toPath: home.file("secrets.sqlite"))
    }

    private func restoredUntil() throws -> String? {
        let object = try home.keyroll.run(["status", "--json"]).object()
        let generations = try #require(object["generations"] as? [[String: Any]])
        return generations[0]["restoredUntil"] as? String
    }

    @Test func oldContentOpensUntilTheTimeIsOver() throws {
        try putOldStore()
        try home.keyroll("get", "secret-3", exits: 65)
        #expect(try restoredUntil() == nil)
        let outcome = try restore("4s")
        #expect(outcome.text.contains("generation 1 is on line until"))
        #expect(try home.keyroll("get", "secret-3").output == secrets.plaintexts["secret-3"])
        #expect(try restoredUntil() != nil)
        #expect(try home.keyroll.run(["status"]).lines.contains { $0.contains("restored, only unprotects, until") })
        _ = try restore("1d", exits: 73)
        Thread.sleep(forTimeInterval: 4.1)
        try home.keyroll("get", "secret-3", exits: 65).expectErrors(["secret-3"])
        let verify: Report = try home.keyroll("verify", "--json", exits: 65).decoded()
        #expect(verify.addsUp && verify.failed["keyAbsent"] == 20, "\(verify)")
        #expect(try restoredUntil() == nil)
        // It goes, and can come again.
        _ = try restore("1d")
        try home.expectContents(secrets)
        let kinds = try home.evidence().compactMap { $0["kind"] as? String }
        #expect(kinds.filter { $0 == "restoration" }.count == 2)
    }

    @Test func nothingIsEverProtectedUnderIt() throws {
        _ = try restore("1d")
        try home.keyroll("put", "new", input: Self.plaintext)
        try home.keyroll("put", "secret-1", "--replace", input: Self.plaintext)
        try home.fill(Secrets(10, "imported"))
        #expect(try home.census().counts == [2: 31])
        try home.keyroll("generation", "activate", "1", exits: 77)
        let report: Report = try home.keyroll("rotate", "--force", "--json").decoded()
        #expect(report.addsUp && report.generation == 3)
        #expect(try home.census().counts == [3: 31])
        // It is on line as before; generation 2 was retired meanwhile.
        #expect(try restoredUntil() != nil)
        #expect(try home.census().generations.map(\.archived) == [true, true, false])
    }

    /// An old store is moved to the active generation while the restored one is there.
    @Test func anOldStoreIsRewrappedFromIt() throws {
        try putOldStore()
        let absent = try home.keyroll("rotate")
        absent.expectErrors(["20 secrets are under generation 1, which is archived; run: keyroll archive restore"])
        #expect(try home.census().counts == [1: 20])
        _ = try restore("1d")
        let report: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(report.addsUp && report.moved == 20, "\(report)")
        #expect(try home.census().counts == [2: 20])
        try home.expectContents(secrets)
    }

    @Test func aClockThatIsSetBackDoesNotProlong() throws {
        try putOldStore()
        _ = try restore("5s")
        let yesterday = try OtherClock.keyroll(home, -Self.day)
        try yesterday("get", "secret-3")
        // A change of the ring meanwhile notes the time; one under the wrong clock does not set it back.
        try yesterday("backup", "register", "--store", "secrets.sqlite", "--at", "2026-01-01")
        Thread.sleep(forTimeInterval: 5.1)
        for back in [-Self.day, -365 * Self.day, -4] {
            try OtherClock.keyroll(home, back)("get", "secret-3", exits: 65)
        }
        try home.keyroll("get", "secret-3", exits: 65)
        try OtherClock.keyroll(home, -Self.day)("get", "secret-3", exits: 65)
    }

    @Test func aClockThatRanAheadEndsItEarly() throws {
        try putOldStore()
        _ = try restore("2d")
        try OtherClock.keyroll(home, Self.day)("get", "secret-3")
        try OtherClock.keyroll(home, 3 * Self.day)("get", "secret-3", exits: 65)
        // It is off line now: its key is no longer in the ring, whatever the clock says.
        try home.keyroll("get", "secret-3", exits: 65)
        _ = try restore("1d")
        try home.keyroll("get", "secret-3")
    }

    @Test func refusals() throws {
        let before = try home.files()
        func refused(_ code: Int32, _ arguments: String...) throws {
            let command = ["archive", "restore"] + arguments + ["--reason", "why"]
            let outcome = try home.keyroll.run(command)
            #expect(outcome.code == code, "\(command): \(outcome)")
        }
        try refused(77, "--generation", "2", "--for", "1d")
        try refused(66, "--generation", "9", "--for", "1d")
        try refused(64, "--generation", "1", "--for", "0s")
        try refused(64, "--generation", "1", "--for", "367d")
        try refused(64, "--generation", "1", "--for", "tomorrow")
        try refused(78, home.bundle(2), "--generation", "1", "--for", "1d")
        try refused(66, home.file("bundles/none"), "--generation", "1", "--for", "1d")
        let stranger = try ScratchHome.quick()
        try refused(78, stranger.bundle(1), "--generation", "1", "--for", "1d")
        try refused(78, "--generation", "1", "--for", "1d", "--key", stranger.recoveryKey)
        #expect(try home.keyroll.run(["archive", "restore", "--generation", "1", "--for", "1d"]).code == 64)
        #expect(try home.files() == before)
        // The recovery key in place of the archive key.
        try home.keyroll(
            "archive", "restore", "--generation", "1", "--for", "1d", "--reason", "why", "--key", home.recoveryKey)
    }

    /// Years later: nothing but the bundle, the recovery key and an old copy of a store.
    @Test func aFreshHomeReadsAnOldCopy() throws {
        let bundle = home.folder + "/kept.keyroll.tar.zst"
        try FileManager.default.copyItem(atPath: home.bundle(1), toPath: bundle)
        let fresh = Keyroll(home: home.folder + "/fresh")
        let arguments = ["--for", "5s", "--reason", "an audit", "--store", oldStore]
        func attempt(_ more: String...) throws -> Int32 {
            try fresh.run(["archive", "restore", bundle] + more + arguments).code
        }
        let stranger = try ScratchHome.guarded()
        #expect(try attempt("--generation", "1") == 64)
        #expect(try attempt("--generation", "2", "--key", home.recoveryKey) == 78)
        #expect(try attempt("--generation", "1", "--key", stranger.recoveryKey) == 78)
        #expect(!FileManager.default.fileExists(atPath: fresh.home))
        #expect(try attempt("--generation", "1", "--key", home.recoveryKey) == 0)
        #expect(try fresh("get", "secret-7").output == secrets.plaintexts["secret-7"])
        #expect(try fresh.secrets() == secrets)
        #expect(try fresh.run(["put", "new"], input: Self.plaintext).code == 77, "it protects nothing")
        Thread.sleep(forTimeInterval: 5.1)
        try fresh("get", "secret-7", exits: 65)
        try fresh("verify", exits: 65)
    }
}
