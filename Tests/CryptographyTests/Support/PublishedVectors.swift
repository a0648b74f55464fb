import Foundation
import Testing

/// The files of the PyPI package `cryptography-vectors`: NIST's and the RFCs' vectors, as they were published.
enum PublishedVectors {
    /// The text of a file, by its path in the package.
    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: folder.get() + "/" + name, encoding: .utf8)
    }

    /// The virtual environment: `KEYROLL_TEST_VENV`, else `.build/venv` below the package.
    static let environment: String = {
        if let named = ProcessInfo.processInfo.environment["KEYROLL_TEST_VENV"] { return named }
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root.path + "/.build/venv"
    }()

    /// Looked up once; installed where it is missing.
    private static let folder = Result { () throws -> String in
        if let found = find() { return found }
        if !FileManager.default.fileExists(atPath: environment + "/bin/pip") {
            try run("/usr/bin/env", "python3", "-m", "venv", environment)
        }
        try run(
            environment + "/bin/pip", "install", "--quiet", "--disable-pip-version-check", "cryptography-vectors")
        return try #require(find())
    }

    private static func find() -> String? {
        let libraries = environment + "/lib"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries)) ?? []
        return versions.map { "\(libraries)/\($0)/site-packages/cryptography_vectors" }
            .first { FileManager.default.fileExists(atPath: $0 + "/keywrap") }
    }

    /// Runs a program and gives what it prints.
    @discardableResult
    static func run(_ program: String, _ arguments: String...) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments.joined(separator: " "))")
        return String(decoding: printed, as: UTF8.self)
    }
}
