import Foundation
import Glibc
import Testing

/// Two jobs never run in one home at once, and a killed one needs no one to clean up.
@Suite struct LockTests {
    @Test(arguments: [["rotate"], ["rotate", "--force"], ["generation", "create"], ["quarantine", "retry"]])
    func secondIsRefusedAndToldWho(_ second: [String]) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(4000, bytes: 8))
        let holder = try home.keyroll.start(["rotate", "--force", "--max-rate", "2000"])
        try home.waitUntilAtWork(holder)
        let start = ContinuousClock.now
        let refused = try home.keyroll.run(second)
        #expect(refused.code == 75 && start.duration(to: .now) < .seconds(5))
        refused.expectRefusal("process \(holder.pid) on ", "keyroll rotate")
        // Everything that is no job goes on meanwhile.
        try home.keyroll("put", "meanwhile", input: Data("plaintext".utf8))
        #expect(try home.keyroll("get", "meanwhile").text == "plaintext")
        try home.keyroll("rotate", "--dry-run")
        #expect(holder.wait().code == 0)
        try home.expectAllOpen(4001)
        #expect(try home.census().counts == [2: 4001])
    }

    @Test func aKilledHolderLetsGoAtOnce() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(4000, bytes: 8))
        let holder = try home.keyroll.start(["rotate", "--force", "--max-rate", "2000"])
        try home.waitUntilHalfMoved(holder, to: 2)
        holder.signal(SIGKILL)
        #expect(holder.wait().code == 128 + SIGKILL)
        let report: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(report.addsUp && report.generation == 2 && report.scanned == 4000)
        #expect(try home.census().counts == [2: 4000])
        try home.expectAllOpen(4000)
    }

    @Test func manyAtOnceEndWithOneActiveGeneration() throws {
        let home = try ScratchHome()
        let secrets = Secrets(300)
        try home.fill(secrets)
        for _ in 0..<5 {
            let children = try (0..<6).map { _ in try home.keyroll.start(["rotate", "--force"]) }
            let outcomes = children.map { $0.wait() }
            #expect(outcomes.contains { $0.code == 0 })
            for outcome in outcomes where outcome.code != 0 {
                #expect(outcome.code == 75)
                outcome.expectRefusal("another run holds the lock")
            }
            let census = try home.census()
            #expect(census.generations.filter { $0.state == "active" }.count == 1)
            #expect(census.counts == [census.active ?? 0: 300])
        }
        try home.expectContents(secrets)
        try home.keyroll("doctor")
    }
}
