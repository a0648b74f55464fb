import Foundation
import Glibc
import Testing

/// SIGTERM and SIGINT end a run after the batch in work, and the next run goes on.
@Suite struct SignalTests {
    @Test(arguments: [SIGTERM, SIGINT]) func rotationEndsAndGoesOn(_ signal: Int32) throws {
        let home = try ScratchHome()
        let accounts = Secrets.accounts(20_000)
        try home.keyroll("import", home.write("in.jsonl", accounts))
        let child = try home.keyroll.start(["rotate", "--force", "--json", "--max-rate", "4000"])
        try home.waitUntilHalfMoved(child, to: 2)
        let asked = ContinuousClock.now
        child.signal(signal)
        let ended = child.wait()
        #expect(ended.code == 75, "\(ended)")
        #expect(asked.duration(to: .now) < .seconds(3), "it ends after the batch in work")
        ended.expectErrors(["run it again"])
        let moved = try home.census().counts[2] ?? 0
        #expect(moved > 0 && moved < 20_000)
        let first: Report = try ended.decoded()
        #expect(first.interrupted && first.addsUp && first.moved == moved, "\(first)")
        try home.expectAllOpen(20_000)
        try home.keyroll("status", exits: 3)

        let rest: Report = try home.keyroll("rotate", "--json").decoded()
        // Outcomes are of both attempts.
        #expect(rest.resumed && !rest.interrupted && rest.addsUp)
        #expect(rest.scanned == 20_000 && rest.moved == 20_000, "\(rest)")
        #expect(rest.generation == 2 && rest.job == first.job)
        #expect(try home.census().counts == [2: 20_000])
        #expect(try home.keyroll("export", "--format", "jsonl").output == accounts)
    }

    @Test func stoppedThreeTimesInARow() throws {
        let home = try ScratchHome()
        try home.keyroll("import", home.write("in.jsonl", Secrets.accounts(20_000)))
        var moved = 0
        for attempt in 0..<3 {
            let arguments = ["rotate", "--max-rate", "5000"] + (attempt == 0 ? ["--force"] : [])
            let child = try home.keyroll.start(arguments)
            while try home.census().counts[2] ?? 0 <= moved { try #require(child.isRunning) }
            child.signal(SIGTERM)
            #expect(child.wait().code == 75)
            moved = try home.census().counts[2] ?? 0
        }
        #expect(moved < 20_000)
        let rest: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(rest.resumed && rest.addsUp && rest.moved == 20_000)
        try home.expectAllOpen(20_000)
    }

    @Test func newerRollGoesBeforeTheStoppedOne() throws {
        let home = try ScratchHome()
        try home.keyroll("import", home.write("in.jsonl", Secrets.accounts(20_000)))
        let child = try home.keyroll.start(["rotate", "--force", "--max-rate", "4000"])
        try home.waitUntilHalfMoved(child, to: 2)
        child.signal(SIGTERM)
        #expect(child.wait().code == 75)
        let report: Report = try home.keyroll("rotate", "--force", "--json").decoded()
        #expect(!report.resumed && report.addsUp && report.moved == 20_000 && report.generation == 3)
        #expect(try home.census().counts == [3: 20_000])
        try home.expectAllOpen(20_000)
    }

    @Test func aForgedJournalIsIgnored() throws {
        let home = try ScratchHome()
        try home.keyroll("import", home.write("in.jsonl", Secrets.accounts(20_000)))
        let child = try home.keyroll.start(["rotate", "--force", "--max-rate", "4000"])
        try home.waitUntilHalfMoved(child, to: 2)
        child.signal(SIGTERM)
        #expect(child.wait().code == 75)
        try Python.damage(home, "sql", "secrets.sqlite", "UPDATE journal SET mac = randomblob(32)")
        let outcome = try home.keyroll("rotate", "--json")
        outcome.expectErrors(["the journal of an unfinished run is not authentic and was ignored"])
        let report: Report = try outcome.decoded()
        #expect(!report.resumed && report.addsUp && report.scanned == 20_000)
        #expect(try home.census().counts == [2: 20_000])
    }

    @Test func verifyAndImportEndToo() throws {
        let home = try ScratchHome()
        let file = try home.write("in.jsonl", Secrets.accounts(100_000))
        let importing = try home.keyroll.start(["import", file, "--max-rate", "20000"])
        while try home.census().secrets == 0 { try #require(importing.isRunning) }
        importing.signal(SIGTERM)
        let ended = importing.wait()
        #expect(ended.code == 75)
        ended.expectErrors(["run it again"])
        try home.keyroll("import", file)
        try home.expectAllOpen(100_000)

        let verifying = try home.keyroll.start(["verify", "--max-rate", "4000"])
        while !verifying.errorsSoFar.contains("verify: ") {
            try #require(verifying.isRunning)
            usleep(200_000)
            verifying.signal(SIGUSR1)
        }
        verifying.signal(SIGTERM)
        #expect(verifying.wait().code == 75)
    }
}
