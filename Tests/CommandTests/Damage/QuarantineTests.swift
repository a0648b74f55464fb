import Foundation
import Testing

/// The list of secrets that could not be moved, and what can be done with one.
@Suite struct QuarantineTests {
    private let secrets = Secrets(150)
    private let home: ScratchHome

    init() throws {
        home = try ScratchHome()
        try home.fill(secrets)
        try Python.damage(home, "flip-key", "secret-50")
        try home.keyroll("rotate", "--force", exits: 65)
        try home.keyroll("quarantine", "list", exits: 3)
    }

    private func expectNothingLeft() throws {
        #expect(try home.keyroll("quarantine", "list").lines == [])
        try home.keyroll("rotate")
        try home.keyroll("status")
        #expect(try home.census().counts == [2: home.census().secrets])
    }

    @Test func acceptEndsTheComplaints() throws {
        try home.keyroll("quarantine", "accept", "nobody", "--reason", "lost", exits: 66).expectRefusal("'nobody'")
        try home.keyroll("quarantine", "accept", "secret-50", "--reason", "its account is closed")
        let list = try home.keyroll("quarantine", "list")
        #expect(list.text.contains("secret-50") && list.text.contains("its account is closed"))
        try home.keyroll("rotate")
        try home.keyroll("status")
        // Nothing was deleted, and verify still tells the truth.
        let verify = try home.keyroll("verify", "--json", exits: 65)
        #expect(try verify.decoded(Report.self).faults.map(\.name) == ["secret-50"])
    }

    @Test func acceptedStaysAcceptedInTheNextRotation() throws {
        try home.keyroll("quarantine", "accept", "secret-50", "--reason", "its account is closed")
        let report = try home.keyroll.run(["rotate", "--force", "--json"])
        #expect(try report.decoded(Report.self).moved == 149)
        #expect(try home.keyroll("quarantine", "list").text.contains("its account is closed"))
    }

    @Test func retryMovesWhatIsWholeAgain() throws {
        let still = try home.keyroll("quarantine", "retry", "--json", exits: 65)
        #expect(try still.decoded(Report.self).failed["integrityCheckFailed"] == 1)
        try home.keyroll("quarantine", "list", exits: 3)
        // The same bit again puts it right.
        try Python.damage(home, "flip-key", "secret-50")
        let report: Report = try home.keyroll("quarantine", "retry", "--json").decoded()
        #expect(report.moved == 1 && report.current == 149 && report.addsUp)
        try home.expectContents(secrets)
        try expectNothingLeft()
    }

    @Test func theNextRotationTriesAgainByItself() throws {
        try Python.damage(home, "flip-key", "secret-50")
        let report: Report = try home.keyroll("rotate", "--force", "--json").decoded()
        #expect(report.moved == 150 && report.addsUp)
        try home.expectContents(secrets)
        #expect(try home.keyroll("quarantine", "list").lines == [])
        try home.keyroll("status")
    }

    @Test func writingItAnewTakesItOffTheList() throws {
        try home.keyroll("put", "secret-50", "--replace", input: Data("plaintext".utf8))
        try expectNothingLeft()
        try home.expectAllOpen(150)
    }

    @Test func removingItTakesItOffTheList() throws {
        try home.keyroll("rm", "secret-50")
        try expectNothingLeft()
        try home.expectAllOpen(149)
    }

    @Test func importCanPutItBack() throws {
        let file = try home.write("backup.jsonl", secrets.jsonLines())
        let kept = try home.keyroll("import", file, "--json", exits: 65)
        #expect(try kept.decoded(Report.self).imported == .init(unchanged: 149, kept: 1))
        kept.expectErrors(["'secret-50'", "--replace"])
        let replaced = try home.keyroll("import", file, "--replace", "--json").decoded(Report.self)
        #expect(replaced.imported == .init(replaced: 1, unchanged: 149))
        try home.expectContents(secrets)
        try expectNothingLeft()
    }
}
