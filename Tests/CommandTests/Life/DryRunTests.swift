import Foundation
import Testing

/// `--dry-run`: the real pipeline with the writes thrown away.
@Suite struct DryRunTests {
    @Test func forcedRollIsRehearsed() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(777))
        try home.keyroll("rotate", "--force")
        try home.keyroll("put", "late", input: Data("plaintext".utf8))
        let before = try home.files()
        let report: Report = try home.keyroll("rotate", "--force", "--dry-run", "--json").decoded()
        #expect(report.dryRun && report.addsUp && report.scanned == 778 && report.moved == 778, "\(report)")
        #expect(report.generation == 2 && report.plan.count == 3)
        #expect(try home.files() == before)
        #expect(try home.keyroll("rotate", "--force", "--dry-run").text.contains("would make a new generation"))
        #expect(try home.files() == before)
    }

    @Test func whatIsStaleIsFound() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(300))
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "activate", "2")
        for index in 0..<3 { try home.keyroll("put", "new-\(index)", input: Data("plaintext".utf8)) }
        let before = try home.files()
        let dry: Report = try home.keyroll("rotate", "--dry-run", "--json").decoded()
        #expect(dry.scanned == 303 && dry.moved == 300 && dry.current == 3 && dry.addsUp)
        #expect(try home.files() == before)
        let real: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(real.scanned == 303 && real.moved == 300 && real.current == 3 && real.addsUp)
    }

    @Test func nothingToDoStaysNothing() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(10))
        let report: Report = try home.keyroll("rotate", "--dry-run", "--json").decoded()
        #expect(report.scanned == 0 && report.plan == [] && report.dryRun)
    }

    @Test func failuresAreFoundAndNotQuarantined() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(200))
        try Python.damage(home, "flip-key", "secret-17")
        let before = try home.files()
        let report: Report = try home.keyroll("rotate", "--force", "--dry-run", "--json", exits: 65).decoded()
        #expect(report.addsUp && report.moved == 199 && report.failed["integrityCheckFailed"] == 1)
        #expect(try home.files() == before)
        #expect(try home.keyroll("quarantine", "list").lines == [])
    }

    @Test func importSaysWhatItWouldDo() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(["same": Data("1".utf8), "other": Data("2".utf8)]))
        let next = Secrets(["same": Data("1".utf8), "other": Data("3".utf8), "new": Data("4".utf8)])
        let file = try home.write("in.jsonl", next.jsonLines())
        let before = try home.files()
        let kept = try home.keyroll("import", file, "--dry-run", "--json", exits: 65)
        #expect(try kept.decoded(Report.self).imported == .init(added: 1, unchanged: 1, kept: 1))
        let replaced = try home.keyroll("import", file, "--dry-run", "--replace", "--json")
        #expect(try replaced.decoded(Report.self).imported == .init(added: 1, replaced: 1, unchanged: 1))
        #expect(try home.files() == before)
    }
}
