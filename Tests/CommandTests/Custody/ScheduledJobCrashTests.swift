import Foundation
import Glibc
import Testing

/// kill -9 over the whole scheduled job: publish, bundle, activate, rewrap, gate, archive, off line, all in one run.
@Suite struct ScheduledJobCrashTests {
    private static let count = 1500
    private static let job = ["rotate", "--force"]

    private func expectAfterKill(
        _ home: ScratchHome, _ secrets: Secrets, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try home.keyroll.secrets() == secrets, "\(what)", sourceLocation: sourceLocation)
        try home.keyroll("rotate", sourceLocation: sourceLocation)
        try home.expectBundlesWhole(sourceLocation: sourceLocation)
        let census = try home.census()
        #expect(
            census.generations.filter { $0.state == "active" }.count == 1, "\(what)", sourceLocation: sourceLocation)
        #expect(census.counts == [census.active ?? 0: Self.count], "\(what)", sourceLocation: sourceLocation)
        let onLine = census.generations.filter { !$0.archived && $0.state != "pre-activation" }
        #expect(onLine.count == 1, "\(what): on line are \(onLine)", sourceLocation: sourceLocation)
    }

    private func homeWithSecrets() throws -> (ScratchHome, Secrets) {
        let home = try ScratchHome.quick()
        let secrets = Secrets(Self.count)
        try home.fill(secrets)
        return (home, secrets)
    }

    @Test(arguments: 0..<3) func killedAtRandomInstants(_ part: Int) throws {
        var random = SeededGenerator("killed scheduled jobs, part \(part)")
        for _ in 0..<part { random = SeededGenerator(seed: random.next()) }
        let (home, secrets) = try homeWithSecrets()
        let start = ContinuousClock.now
        try home.keyroll("rotate", "--force")
        let typical = start.duration(to: .now) / .microseconds(1)
        var killed = 0
        for round in 1...20 {
            let child = try home.keyroll.start(Self.job)
            usleep(UInt32(Double.random(in: 0..<typical, using: &random)))
            child.signal(SIGKILL)
            if child.wait().code == 128 + SIGKILL { killed += 1 }
            try expectAfterKill(home, secrets, "part \(part), round \(round), seed \(random.seed)")
        }
        print("killed scheduled jobs: \(killed) of 20 in time, \(typical / 1e6) s each")
        #expect(killed > 0, "the kills did not hit, seed \(random.seed)")
        try home.keyroll("doctor")
    }

    @Test func killedBeforeItsSteps() throws {
        let (home, secrets) = try homeWithSecrets()
        let steps = try KillSwitch.steps(home.twin("counted"), Self.job)
        #expect(steps > 30, "the job has \(steps) steps")
        try FileManager.default.moveItem(atPath: home.path, toPath: home.folder + "/template")
        for step in KillSwitch.some(16, of: steps, for: Self.job) {
            try? FileManager.default.removeItem(atPath: home.path)
            try FileManager.default.copyItem(atPath: home.folder + "/template", toPath: home.path)
            _ = try KillSwitch.run(home.keyroll, Self.job, before: step)
            try expectAfterKill(home, secrets, "killed before step \(step) of \(steps)")
        }
    }
}
