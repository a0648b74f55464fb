import Foundation
import Glibc
import Testing

/// Runs the real command on one home.
struct Keyroll: Sendable {
    /// The home, which the command learns through `KEYROLL_HOME`.
    let home: String
    /// Variables beside that one.
    var variables: [String: String] = [:]

    /// The command lies beside the tests' executable; `KEYROLL_BINARY` names another one.
    static let binary: String = {
        if let named = ProcessInfo.processInfo.environment["KEYROLL_BINARY"] { return named }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (own as NSString).deletingLastPathComponent + "/keyroll"
    }()

    private var environment: [String: String] {
        ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "KEYROLL_HOME": home]
            .merging(variables) { $1 }
    }

    /// Starts a command and does not wait for it.
    func start(_ arguments: [String], input: Data = Data(), descriptors: [Int32: Data] = [:]) throws -> Child {
        try Child(Self.binary, arguments, environment: environment, input: input, descriptors: descriptors)
    }

    /// Runs a command to its end, whatever that is.
    func run(_ arguments: [String], input: Data = Data(), descriptors: [Int32: Data] = [:]) throws -> Outcome {
        try start(arguments, input: input, descriptors: descriptors).wait()
    }

    /// Runs a command that has to end with this exit code.
    @discardableResult
    func callAsFunction(
        _ arguments: String..., input: Data = Data(), descriptors: [Int32: Data] = [:], exits code: Int32 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try run(arguments, input: input, descriptors: descriptors)
        #expect(
            outcome.code == code, "keyroll \(arguments.joined(separator: " ")): \(outcome.errors)",
            sourceLocation: sourceLocation)
        return outcome
    }

    /// Runs a command behind a shell's `umask`.
    func withUmask(_ mask: String, _ arguments: [String], input: Data = Data()) throws -> Outcome {
        let script = "umask \(mask) && exec \"$0\" \"$@\""
        return try Child(
            "/bin/sh", ["-c", script, Self.binary] + arguments, environment: environment, input: input
        ).wait()
    }
}
