import Foundation
import Glibc
import Testing

/// kill -9 at random moments: nothing is lost, and the next run finishes the job.
@Suite(.serialized) struct CrashTests {
    private static let count = 200_000

    @Test func fiftyRotationsAreKilled() throws {
        var random = SeededGenerator("killed rotations")
        let home = try ScratchHome()
        let accounts = Secrets.accounts(Self.count)
        let file = try home.write("accounts.jsonl", accounts)
        try home.keyroll("import", file)
        let expected = home.folder + "/expected.json"
        try Python.script("independent_reader.py", "digests", file, expected)
        // The quickest of three: the machine is shared.
        let typical =
            try (0..<3).map { _ in
                let start = ContinuousClock.now
                try home.keyroll("rotate", "--force")
                return start.duration(to: .now) / .microseconds(1)
            }.min() ?? 0

        var killed = 0
        var halfMoved = 0
        for round in 1...50 {
            let child = try home.keyroll.start(["rotate", "--force"])
            usleep(UInt32(Double.random(in: 0..<typical, using: &random)))
            child.signal(SIGKILL)
            if child.wait().code == 128 + SIGKILL { killed += 1 }
            if round % 20 == 10 { try Python.script("independent_reader.py", "check", home.path, expected) }
            try home.expectAllOpen(Self.count)
            if try home.census().counts.count > 1 { halfMoved += 1 }

            try home.keyroll("rotate")
            let census = try home.census()
            #expect(census.counts == [census.active ?? 0: Self.count], "round \(round), seed \(random.seed)")
            #expect(!census.overdue && census.quarantined == 0)
        }
        print("killed rotations: \(killed) of 50 in time, \(halfMoved) half way, \(typical / 1e6) s each")
        #expect(killed >= 15 && halfMoved > 0, "the kills did not hit, seed \(random.seed)")
        #expect(try home.keyroll("export", "--format", "jsonl").output == accounts)
        try Python.script("independent_reader.py", "check", home.path, expected)
        try home.keyroll("doctor")
    }

    @Test func tenImportsAreKilled() throws {
        var random = SeededGenerator("killed imports")
        let accounts = Secrets.accounts(Self.count)
        let sample = try ScratchHome()
        let file = try sample.write("accounts.jsonl", accounts)
        let start = ContinuousClock.now
        try sample.keyroll("import", file)
        let typical = start.duration(to: .now) / .microseconds(1)

        let home = try ScratchHome()
        var counts: [Int] = []
        for round in 0..<10 {
            let child = try home.keyroll.start(["import", file])
            // Later ones have to get past what is there already.
            usleep(UInt32(Double.random(in: 0..<typical * (0.3 + 0.15 * Double(round)), using: &random)))
            child.signal(SIGKILL)
            _ = child.wait()
            let stored: Report = try home.keyroll("verify", "--json").decoded()
            #expect(stored.addsUp && stored.current == stored.scanned && stored.scanned >= counts.last ?? 0)
            counts.append(stored.scanned)
            // What is there is a beginning of the file, whole secrets only.
            let export = try home.keyroll("export", "--format", "jsonl").output
            #expect(accounts.starts(with: export), "seed \(random.seed)")
        }
        print("killed imports: secrets after each: \(counts)")
        #expect(counts.contains { $0 > 0 && $0 < Self.count }, "the kills did not hit, seed \(random.seed)")
        let report: Report = try home.keyroll("import", file, "--json").decoded()
        let last = counts.last ?? 0
        #expect(report.imported == .init(added: Self.count - last, unchanged: last))
        #expect(try home.keyroll("export", "--format", "jsonl").output == accounts)
        try home.expectAllOpen(Self.count)
        try home.keyroll("doctor")
    }

    @Test func killedInitLeavesNoHalfHome() throws {
        var random = SeededGenerator("killed init")
        var homes = 0
        for _ in 0..<30 {
            let home = try ScratchHome(isMade: false)
            let child = try home.keyroll.start(["init"])
            usleep(UInt32.random(in: 0..<60_000, using: &random))
            child.signal(SIGKILL)
            _ = child.wait()
            if FileManager.default.fileExists(atPath: home.path) {
                homes += 1
            } else {
                try home.keyroll("init")
            }
            try home.keyroll("put", "name", input: Data("plaintext".utf8))
            try home.keyroll("rotate", "--force")
            try home.expectContents(Secrets(["name": Data("plaintext".utf8)]))
        }
        print("killed init: \(homes) of 30 homes were whole already")
    }
}
