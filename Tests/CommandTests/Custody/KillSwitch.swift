import Foundation
import Glibc
import Testing

/// kill -9 just before a chosen step of a command, instead of at a random moment: see `Tests/interop/kill_at.c`.
enum KillSwitch {
    private static let library = Preload.library("kill_at")

    /// How many steps a command has.
    static func steps(_ keyroll: Keyroll, _ arguments: [String]) throws -> Int {
        let count = "/tmp/keyroll-test-\(UUID().uuidString)"
        defer { unlink(count) }
        var counting = keyroll
        counting.variables["LD_PRELOAD"] = try library.get()
        counting.variables["KILL_COUNT"] = count
        let outcome = try counting.run(arguments)
        try #require(outcome.code == 0, "keyroll \(arguments): \(outcome.errors)")
        return try #require(Int(try String(contentsOfFile: count, encoding: .utf8)))
    }

    /// Some of the steps, others each time; all of them with `KEYROLL_TEST_EVERY_STEP`.
    static func some(_ count: Int = 8, of steps: Int, for arguments: [String]) -> [Int] {
        if ProcessInfo.processInfo.environment["KEYROLL_TEST_EVERY_STEP"] != nil { return Array(1...steps) }
        var random = SeededGenerator("killed steps of keyroll \(arguments.joined(separator: " "))")
        return (1...steps).shuffled(using: &random).prefix(count).sorted()
    }

    /// Runs a command that is killed just before a step, counted from 1.
    ///
    /// - Returns: whether it came so far.
    static func run(_ keyroll: Keyroll, _ arguments: [String], before step: Int) throws -> Bool {
        var dying = keyroll
        dying.variables["LD_PRELOAD"] = try library.get()
        dying.variables["KILL_AT"] = "\(step)"
        let outcome = try dying.run(arguments)
        #expect(outcome.code == 0 || outcome.code == 128 + SIGKILL, "keyroll \(arguments): \(outcome.errors)")
        return outcome.code == 128 + SIGKILL
    }
}

/// Small libraries in C under `Tests` that stand between a command and the system.
enum Preload {
    /// Compiles one.
    ///
    /// - Returns: its path, or why there is none.
    static func library(_ name: String, in folder: String = "interop") -> Result<String, any Error> {
        Result {
            let library = "/tmp/keyroll-test-\(getpid())-\(name).so"
            let outcome = try Child(
                "/usr/bin/env",
                [
                    "cc", "-shared", "-fPIC", "-O1", "-o", library, "\(Python.package)/Tests/\(folder)/\(name).c",
                    "-ldl",
                ],
                environment: ["PATH": "/usr/bin:/bin", "HOME": "/tmp"]
            ).wait()
            try #require(outcome.code == 0, "cc: \(outcome.errors)")
            return library
        }
    }
}

/// Another clock of the day, as an operator could set it; the kernel's own count goes on: see
/// `Tests/interop/other_clock.c`.
enum OtherClock {
    static let library = Preload.library("other_clock")

    /// The command with a clock that is off by so many seconds.
    static func keyroll(_ home: ScratchHome, _ offset: Int) throws -> Keyroll {
        var keyroll = home.keyroll
        keyroll.variables["LD_PRELOAD"] = try library.get()
        keyroll.variables["CLOCK_OFFSET"] = "\(offset)"
        return keyroll
    }
}
