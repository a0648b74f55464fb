import Files
import Home
import Jobs
import Rotation
import SecretStores
import Testing

@Suite struct VerifyJobTests {
    private func verify(_ home: Home, control: RunControl = RunControl()) throws -> JobReport {
        try VerifyJob(home, options: RunOptions(workers: 2), control: control).run()
    }

    @Test func everyStoreIsOpened() throws {
        try TestHome.run(stores: ["one.sqlite", "two.sqlite"]) { home in
            try home.fill(TestHome.names(300), in: home.home.stores[0])
            try home.fill(TestHome.names(200), in: home.home.stores[1])
            let report = try verify(home.home)
            #expect(report.kind == "verify" && report.job.hasPrefix("verify-"))
            // Opened ones count as current: nothing was moved.
            #expect(report.tally.numbers == [500, 0, 500, 0, 0])
            #expect(report.handled == 500 && report.generation == 1 && !report.wasInterrupted)
        }
    }

    @Test func faultsAreNamed() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(100))
            try home.alterBody("name 9") { $0.removeLast() }
            let report = try verify(home.home)
            #expect(report.tally.numbers == [100, 0, 99, 0, 1] && report.tally.addsUp)
            #expect(report.faults == [.init(name: "name 9", generation: 1, reason: .malformed)])
            let text = String(decoding: try report.json(), as: UTF8.self)
            for key in ["job", "scanned", "moved", "current", "superseded", "failed", "seconds", "stages"] {
                #expect(text.contains("\"\(key)\""))
            }
            #expect(text.contains("\"malformed\" : 1") && text.contains("\"total\" : 1"))
        }
    }

    @Test func aStoppedOneSaysSo() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(100))
            let control = RunControl()
            control.stop()
            #expect(try verify(home.home, control: control).wasInterrupted)
        }
    }

    /// Where a job's report goes, and that two never have one name.
    @Test func reportsAreKept() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(10))
            var jobs: Set<String> = []
            for _ in 0..<3 {
                let report = try RotateJob(
                    home.home, isForced: true, options: RunOptions(workers: 1), control: RunControl()
                ).run()
                jobs.insert(report.job)
                #expect(PrivateFile.exists("\(home.path)/reports/\(report.job).json"))
            }
            #expect(jobs.count == 3 && PrivateFile.exists("\(home.path)/reports/last-rotate.json"))
            try PrivateFile.check("\(home.path)/reports/last-rotate.json")
        }
    }
}
