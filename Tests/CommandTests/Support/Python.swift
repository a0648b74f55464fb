import Foundation
import Testing

/// The scripts under `Tests/interop`.
enum Python {
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    private static let environment = [
        "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
        "HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/tmp", "PYTHONDONTWRITEBYTECODE": "1",
    ]

    /// An interpreter that has the libraries of `Tests/requirements.txt`: `KEYROLL_TEST_VENV`, else `.build/venv`,
    /// which is made where it is missing.
    static let withLibraries: Result<String, any Error> = Result {
        if let named = ProcessInfo.processInfo.environment["KEYROLL_TEST_VENV"] { return named + "/bin/python3" }
        let venv = package + "/.build/venv"
        let python = venv + "/bin/python3"
        let isReady =
            try FileManager.default.isExecutableFile(atPath: python)
            && run(python, ["-c", "import cwt, cbor2, cryptography"]).code == 0
        if isReady { return python }
        let steps = [
            ["python3", "-m", "venv", venv],
            [python, "-m", "pip", "install", "--quiet", "-r", package + "/Tests/requirements.txt"],
        ]
        for step in steps {
            let outcome = try run("/usr/bin/env", step)
            try #require(outcome.code == 0, "\(step.joined(separator: " ")): \(outcome.errors)")
        }
        return python
    }

    /// Runs a script that needs the libraries and has to succeed.
    @discardableResult
    static func script(
        _ name: String, _ arguments: String..., input: Data = Data(), sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try attempt(name, arguments, input: input)
        #expect(outcome.code == 0, "\(name): \(outcome.errors)", sourceLocation: sourceLocation)
        return outcome
    }

    /// Runs one that may fail.
    static func attempt(_ name: String, _ arguments: [String], input: Data = Data()) throws -> Outcome {
        try run(withLibraries.get(), ["\(package)/Tests/interop/\(name)"] + arguments, input: input)
    }

    /// Damages a home; see damage.py.
    static func damage(_ home: ScratchHome, _ command: String...) throws {
        let outcome = try run(
            "/usr/bin/env", ["python3", "\(package)/Tests/interop/damage.py", home.path] + command)
        try #require(outcome.code == 0, "damage.py: \(outcome.errors)")
    }

    static func run(
        _ program: String, _ arguments: [String], input: Data = Data(), atMost seconds: Double = 120
    ) throws -> Outcome {
        try Child(program, arguments, environment: environment, input: input).wait(atMost: seconds)
    }
}
