import ArgumentParser
import Home
import Reports

/// `keyroll status`
struct Status: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        abstract: "Secrets by generation, and what is due (exit code 3 when something is).")
    @OptionGroup var home: HomeOptions
    @Flag(help: "One JSON object.") var json = false
    @Option(help: "Also write metrics for Prometheus (node_exporter's textfile collector) to this file.")
    var metricsFile: String?

    func validate() throws {
        if let metricsFile { try MetricsFile.check(metricsFile) }
    }

    func run() {
        reporting {
            let opened = try home.open()
            let status = try Reports.Status(opened)
            if let metricsFile { try MetricsFile(path: metricsFile).write(opened) }
            if json {
                try status.json().withUnsafeBytes { Output.bytes($0) }
            } else {
                Output.print(Colour.status(status.text))
            }
            return status.overdue || !status.attention.isEmpty ? .needsAttention : .done
        }
    }
}

/// `keyroll explain`
struct Explain: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(abstract: "Where a secret stands, and why.")
    @OptionGroup var home: HomeOptions
    @Argument(help: "The secret's name.") var name: String

    func run() {
        reporting {
            let explanation = try Explanation(name, home.open())
            Output.print(explanation.lines.map { Output.shown($0) + "\n" }.joined())
            return explanation.opens ? .done : .someFailed
        }
    }
}

/// `keyroll doctor`
struct DoctorCommand: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look for what is wrong with a home (exit code 3 when something is).")
    @OptionGroup var home: HomeOptions

    func run() {
        reporting {
            let doctor = try Doctor(home.layout, ask: home.ask())
            for line in doctor.passed { Output.print("ok: \(Output.shown(line))\n") }
            for line in doctor.findings { Output.print("found: \(Output.shown(line))\n") }
            return doctor.findings.isEmpty ? .done : .needsAttention
        }
    }
}
