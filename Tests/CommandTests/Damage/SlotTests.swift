import Foundation
import Testing

/// A damaged slot costs that one secret and no other.
@Suite struct SlotTests {
    private let others: Secrets
    private let home: ScratchHome

    /// 400 secrets on several key pages, `secret-123` in the middle of them.
    init() throws {
        var secrets = Secrets(400)
        home = try ScratchHome()
        try home.fill(secrets)
        secrets.plaintexts["secret-123"] = nil
        others = secrets
    }

    /// Everything else is there, and opens.
    private func expectOthers(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let export = try home.keyroll("export", "--format", "jsonl", exits: 65, sourceLocation: sourceLocation)
        #expect(try Secrets(jsonLines: export) == others, sourceLocation: sourceLocation)
        let verify = try home.keyroll("verify", "--json", exits: 65, sourceLocation: sourceLocation)
        verify.expectErrors(["'secret-123'"], sourceLocation: sourceLocation)
        let report: Report = try verify.decoded()
        #expect(report.addsUp && report.scanned == 400 && report.current == 399, sourceLocation: sourceLocation)
        #expect(report.faults.map(\.name) == ["secret-123"], sourceLocation: sourceLocation)
    }

    private func expectQuarantined(
        _ outcome: Outcome, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let report: Report = try outcome.decoded()
        #expect(report.addsUp && report.scanned == 400 && report.moved == 399, sourceLocation: sourceLocation)
        #expect(report.failed[reason] == 1 && report.failed["total"] == 1, sourceLocation: sourceLocation)
        #expect(report.faults.map(\.name) == ["secret-123"], sourceLocation: sourceLocation)
        outcome.expectErrors(["'secret-123'", reason], sourceLocation: sourceLocation)
        let list = try home.keyroll("quarantine", "list", exits: 3, sourceLocation: sourceLocation)
        #expect(list.lines.count == 1, sourceLocation: sourceLocation)
        #expect(list.text.contains("secret-123\t\(reason)"), sourceLocation: sourceLocation)
        let status = try home.keyroll("status", "--json", exits: 3, sourceLocation: sourceLocation)
        #expect(try status.decoded(Census.self).quarantined == 1, sourceLocation: sourceLocation)
        #expect(try home.census().counts[2] == 399, sourceLocation: sourceLocation)
        try home.keyroll("doctor", exits: 3, sourceLocation: sourceLocation)
    }

    @Test func flippedBitInAWrappedKey() throws {
        try Python.damage(home, "flip-key", "secret-123")
        let outcome = try home.keyroll("rotate", "--force", "--json", exits: 65)
        try expectQuarantined(outcome, "integrityCheckFailed")
        try expectOthers()
        // The next run answers at once, and still says so.
        let again = try home.keyroll("rotate", "--json", exits: 65)
        #expect(try again.decoded(Report.self).scanned == 0)
        again.expectErrors(["'secret-123'"])
        let get = try home.keyroll("get", "secret-123", exits: 65)
        get.expectRefusal("'secret-123'", "integrity check failed")
        let explained = try home.keyroll("explain", "secret-123", exits: 65)
        #expect(explained.text.contains("quarantined") && explained.text.contains("NOT open"))
    }

    @Test func unknownGeneration() throws {
        try Python.damage(home, "set-generation", "secret-123", "77")
        let get = try home.keyroll("get", "secret-123", exits: 65)
        get.expectRefusal("'secret-123'", "generation 77")
        #expect(!get.errors.contains("integrity"), "an absent key is no sign of tampering")
        let doctor = try home.keyroll("doctor", exits: 3)
        #expect(doctor.text.contains("generation 77"))
        let outcome = try home.keyroll("rotate", "--force", "--json", exits: 65)
        try expectQuarantined(outcome, "keyAbsent")
        try expectOthers()
        // Put right again, it is as good as before.
        try Python.damage(home, "set-generation", "secret-123", "1")
        try home.keyroll("quarantine", "retry")
        try home.expectAllOpen(400)
        #expect(try home.census().counts == [2: 400])
    }

    @Test func generationZero() throws {
        try Python.damage(home, "set-generation", "secret-123", "0")
        try home.keyroll("get", "secret-123", exits: 65).expectRefusal("'secret-123'")
        #expect(try home.keyroll("doctor", exits: 3).text.contains("generation 0 with a wrapped key"))
        let rotated = try home.keyroll.run(["rotate", "--force", "--json"])
        #expect(rotated.code == 65, "a secret is lost sight of: \(rotated)")
        try expectOthers()
    }

    @Test func laterGenerationThatIsActive() throws {
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "activate", "2")
        try Python.damage(home, "set-generation", "secret-123", "2")
        #expect(try home.keyroll("doctor", exits: 3).text.contains("counter"))
        // It looks as if it were current: only the counts tell that something is wrong.
        let rotated = try home.keyroll("rotate", "--json", exits: 65)
        rotated.expectErrors(["counters", "keyroll verify"])
        let report: Report = try rotated.decoded()
        #expect(report.addsUp && report.moved == 399)
        try expectOthers()
    }

    @Test func writtenAnewItIsForgotten() throws {
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "activate", "2")
        try Python.damage(home, "set-generation", "secret-123", "2")
        try home.keyroll("rotate", exits: 65)
        try home.keyroll("put", "secret-123", "--replace", input: Data("plaintext".utf8))
        try home.expectAllOpen(400)
        // The counts were wrong because of the damage; with the damage gone they have to come right again.
        try home.keyroll("rotate")
        #expect(try home.census().counts == [2: 400])
        try home.keyroll("status")
        try home.keyroll("doctor")
    }

    @Test func slotsSwappedBetweenTwoNames() throws {
        try Python.damage(home, "swap-slots", "secret-123", "secret-7")
        // The keys are whole, so they are moved; but they open nothing.
        try home.keyroll("rotate", "--force")
        let report: Report = try home.keyroll("verify", "--json", exits: 65).decoded()
        #expect(Set(report.faults.map(\.name)) == ["secret-123", "secret-7"] && report.current == 398)
        for name in ["secret-123", "secret-7"] {
            try home.keyroll("get", name, exits: 65).expectRefusal("'\(name)'", "integrity check failed")
        }
    }
}
