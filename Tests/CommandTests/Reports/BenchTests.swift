import Foundation
import Testing

/// `keyroll bench`: the operator's own machine, and his own store by dry run.
@Suite struct BenchTests {
    private struct Answer: Decodable {
        struct Job: Decodable {
            var job: String
            var secretsPerSecond: Double
            var stages: [String: Double]
        }
        struct Store: Decodable {
            var store: String
            var secrets: Int
            var stale: Int
            var sampled: Int
            var opened: Int
            var failed: Int
            var rotationSeconds: Double
            var verifySeconds: Double
            var limitedBy: String?
        }
        var jobs: [Job]
        var stores: [Store]
    }

    @Test func aStoreIsTriedAndLeftAlone() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(20_000))
        try Python.damage(home, "flip-content", "secret-7")
        let before = try home.files()
        let answer: Answer = try home.keyroll(
            "bench", "--store", "secrets", "--secrets", "20000", "--json"
        ).decoded()
        #expect(try home.files() == before, "nothing is written, and the scratch home is gone")
        #expect(answer.jobs.map(\.job) == ["import", "rotate", "verify", "reencrypt"])
        for job in answer.jobs {
            #expect(job.secretsPerSecond > 0 && job.stages.keys.sorted() == ["commit", "read", "transform"])
        }
        let store = try #require(answer.stores.first)
        #expect(store.secrets == 20_000 && store.stale == 0 && store.sampled == 20_000 && store.opened == 20_000)
        #expect(store.failed == 1, "what would be no surprise later")
        #expect(store.rotationSeconds > 0 && store.rotationSeconds < 60 && store.limitedBy != nil)
        let text = try home.keyroll("bench", "--store", "secrets", "--secrets", "1000", "--quiet")
        #expect(text.text.contains("rotating all of it takes about") && text.errors == "", "\(text.errors)")
    }

    @Test func itTakesNoHome() throws {
        let home = try ScratchHome(isMade: false)
        let folder = home.folder + "/scratch"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let answer: Answer = try home.keyroll("bench", "--secrets", "2000", "--folder", folder, "--json").decoded()
        #expect(answer.jobs.count == 4 && answer.stores.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        try home.keyroll("bench", "--secrets", "2000", "--folder", "/nonexistent", exits: 69).expectRefusal(
            "/nonexistent")
        try home.keyroll("bench", "--secrets", "999", exits: 64)
    }

    @Test func anEarlyEndLeavesNothing() throws {
        let home = try ScratchHome(isMade: false)
        let folder = home.folder + "/scratch"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let child = try home.keyroll.start(["bench", "--secrets", "400000", "--folder", folder, "--quiet"])
        // Once the first job is at work.
        while try FileManager.default.subpathsOfDirectory(atPath: folder).allSatisfy({
            !$0.hasSuffix("secrets.sqlite-wal")
        }) {
            usleep(10_000)
        }
        usleep(300_000)
        child.signal(SIGINT)
        let outcome = child.wait()
        #expect(outcome.code == 75, "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test func aStoreThatIsNotThere() throws {
        let home = try ScratchHome()
        try home.keyroll("bench", "--store", "nobody", exits: 66).expectRefusal("nobody")
    }
}
