import Foundation
import Testing

/// The checks of `Tests/faults`: calls that fail or never return, power cuts, kills, full disks, wrong clocks, live
/// writers; each decided by a reader that shares no code with keyroll. `make test-full` runs them in their full sizes.
@Suite(.serialized) struct FaultTests {
    // Too little memory is for the full run alone: where threads cannot be made, each level takes its time.
    private static let checks = [
        "syscalls", "power", "errors", "creation", "garbled", "kills", "nested", "full", "rotators", "writers",
        "leftover",
        "counts", "clocks", "rollback", "places", "fresh", "soak",
    ]

    private struct Verdict: Decodable {
        var seed: Int
        var failures: [String]
    }

    @Test(.timeLimit(.minutes(10)), arguments: checks) func check(_ name: String) throws {
        let writer = (Keyroll.binary as NSString).deletingLastPathComponent + "/FaultWriter"
        var arguments = [
            "\(Python.package)/Tests/faults", name, "--keyroll", Keyroll.binary, "--writer", writer, "--workers", "2",
        ]
        if let seed = ProcessInfo.processInfo.environment["KEYROLL_TEST_SEED"] { arguments += ["--seed", seed] }
        let outcome = try Python.run(Python.withLibraries.get(), arguments, atMost: 540)
        let verdict: Verdict = try outcome.decoded()
        // What was tried, and how often: docs/testing.md has the counts of a full run.
        print("faults: \(outcome.text.filter { !$0.isNewline })")
        for failure in verdict.failures { Issue.record("\(name), seed \(verdict.seed): \(failure)") }
        #expect(outcome.code == 0, "\(outcome.errors)")
    }
}
