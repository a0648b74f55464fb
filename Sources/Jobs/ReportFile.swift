import Files
import Home
import Rotation

/// Run reports under `reports/`: the last of each kind, the last of each kind that succeeded, and one for each run that
/// had something to do.
enum ReportFile {
    static func write(_ report: JobReport, _ layout: HomeLayout) throws {
        if !PrivateFile.exists(layout.reports) { try PrivateFile.makeDirectory(layout.reports) }
        var names = ["last-\(report.kind)"]
        if report.isSuccess { names.append("last-success-\(report.kind)") }
        // Verifications leave the last one only: every hour would be a million files in a century.
        if report.tally.scanned > 0, report.kind != "verify" { names.append(report.job) }
        try report.json().withUnsafeBytes { bytes in
            for name in names { try PrivateFile.write("\(layout.reports)/\(name).json", bytes, replacing: true) }
        }
    }
}

extension JobReport {
    /// Keeps the report of a job that has done what it is for, whether or not there is room for a report.
    mutating func keep(_ layout: HomeLayout) {
        guard !isDryRun else { return }
        do { try ReportFile.write(self, layout) } catch {
            // What changed nothing, on a disk that is full, has done all that it is for.
            needsAttention = needsAttention || kind != "verify"
            notes.append("the report was not kept: \(error)")
        }
    }
}
