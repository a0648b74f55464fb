import Files
import Home
import Rotation

/// Run reports under `reports/`: the last of each kind, and one for each run that had something to do.
enum ReportFile {
    static func write(_ report: JobReport, _ layout: HomeLayout) throws {
        if !PrivateFile.exists(layout.reports) { try PrivateFile.makeDirectory(layout.reports) }
        try report.json().withUnsafeBytes { bytes in
            try PrivateFile.write("\(layout.reports)/last-\(report.kind).json", bytes, replacing: true)
            if report.tally.scanned > 0 {
                try PrivateFile.write("\(layout.reports)/\(report.job).json", bytes, replacing: true)
            }
        }
    }
}
