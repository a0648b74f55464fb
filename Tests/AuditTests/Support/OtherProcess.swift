import Foundation

/// `AuditBenchmark` as another process that writes to a test's log.
final class OtherProcess: @unchecked Sendable {
    // @unchecked: one test uses one.
    private let process = Process()
    private let pipe = Pipe()

    /// It lies beside the tests' executable.
    private static let binary: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (own as NSString).deletingLastPathComponent + "/AuditBenchmark"
    }()

    init(_ arguments: String...) throws {
        process.executableURL = URL(fileURLWithPath: Self.binary)
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
    }

    /// Reads some of what it writes.
    func read() -> Data { pipe.fileHandleForReading.availableData }

    /// Kills it, and gives the rest of what it wrote.
    func killed() -> Data {
        kill(process.processIdentifier, SIGKILL)
        let rest = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return rest
    }

    /// Waits for its end.
    func ended() -> Int32 {
        _ = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
