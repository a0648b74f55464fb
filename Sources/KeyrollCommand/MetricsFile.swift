import ArgumentParser
import Files
import Home
import KeyManagement
import Reports
import Rotation

/// `--metrics-file`
struct MetricsFile {
    let path: String

    /// Refuses what cannot be right.
    static func check(_ path: String) throws {
        guard !path.isEmpty, !path.hasSuffix("/"), Output.shown(path) == path else {
            throw ValidationError("--metrics-file has to be a file's path, such as …/keyroll.prom")
        }
    }

    /// Writes the state of a home.
    func write(_ home: Home, running: (job: String, control: RunControl)? = nil) throws {
        try write(Metrics(home, version: Version.number), running: running)
    }

    fileprivate func write(_ metrics: Metrics, running: (job: String, control: RunControl)?) throws {
        try Array(metrics.text(running: running).utf8).withUnsafeBytes { try PublicFile.write(path, $0) }
    }
}

/// Keeps the metrics' file up to date while a job runs and when it has ended.
final class MetricsWriter: @unchecked Sendable {
    // @unchecked: `before` is written before the job begins.
    private let file: MetricsFile
    private let home: Home
    private let kind: String
    private let control: RunControl
    private let before: Metrics?

    init(_ file: MetricsFile, _ home: Home, kind: String, control: RunControl) {
        self.file = file
        self.home = home
        self.kind = kind
        self.control = control
        before = try? Metrics(home, version: Version.number)
    }

    /// While the job runs the census is the one before it; a file that cannot be written is spoken of at the end.
    func writeRunning() {
        if let before { try? file.write(before, running: (kind, control)) }
    }

    /// - Returns: why the file could not be written, or nil.
    func writeEnd() -> String? {
        do {
            try home.keeper.reload()
            try file.write(home)
            return nil
        } catch { return "the metrics were not written: \(error)" }
    }
}
