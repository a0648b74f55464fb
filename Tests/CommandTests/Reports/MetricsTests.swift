import Foundation
import Glibc
import Testing

/// `--metrics-file`, as Prometheus' own tools read it.
@Suite struct MetricsTests {
    private static let rules = Python.package + "/jobs/prometheus"

    /// The value of a sample; nil where there is none.
    private func value(_ text: String, _ sample: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(sample + " ") }.flatMap {
            Double($0.dropFirst(sample.count + 1))
        }
    }

    @Test func theNumbersAreThoseOfStatusAndReports() throws {
        let home = try ScratchHome.quick()
        try home.fill(Secrets(500))
        try Python.damage(home, "flip-key", "secret-7")
        let file = home.folder + "/keyroll.prom"
        let report: Report = try home.keyroll(
            "rotate", "--force", "--json", "--metrics-file", file, exits: 65
        ).decoded()
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let group = "group=\"default\""
        func generation(_ number: Int, _ state: String) -> String {
            "{\(group),generation=\"\(number)\",state=\"\(state)\",archived=\"false\"}"
        }
        #expect(value(text, "keyroll_generation_secrets" + generation(1, "deactivated")) == 1)
        #expect(value(text, "keyroll_generation_secrets" + generation(2, "active")) == 499)
        #expect(value(text, "keyroll_secrets{\(group)}") == 500)
        #expect(value(text, "keyroll_quarantined_secrets{\(group)}") == 1)
        #expect(value(text, "keyroll_active_generation{\(group)}") == 2)
        #expect(value(text, "keyroll_job_last_secrets{\(group),job=\"rotate\",outcome=\"moved\"}") == 499)
        #expect(report.moved == 499)
        let reason = "keyroll_job_last_failed_secrets{\(group),job=\"rotate\",reason=\"integrityCheckFailed\"}"
        #expect(value(text, reason) == 1)
        #expect(value(text, "keyroll_job_last_success{\(group),job=\"rotate\"}") == 0)
        #expect(value(text, "keyroll_job_last_success_timestamp_seconds{\(group),job=\"rotate\"}") == nil)
        #expect(value(text, "keyroll_job_running{\(group),job=\"rotate\"}") == 0)
        let proven = try #require(
            value(text, "keyroll_generation_proven_restorable_timestamp_seconds" + generation(2, "active")))
        #expect(abs(proven - Date().timeIntervalSince1970) < 120)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o644, "node_exporter is another user")
        #expect(!text.contains("secret-7"), "no name is a label")
        let checked = try Tool.attempt(["promtool", "check", "metrics"], in: home.folder, input: Data(text.utf8))
        #expect(checked.code == 0 && checked.errors.isEmpty, "\(checked.errors)")

        // Once all is well there is a success, and status writes the file, too.
        try home.keyroll("quarantine", "accept", "secret-7", "--reason", "its account is closed")
        try home.keyroll("verify", "--metrics-file", file, exits: 65)
        try home.keyroll("rotate", "--metrics-file", file)
        let next = home.folder + "/next.prom"
        _ = try home.keyroll.run(["status", "--metrics-file", next])
        let after = try String(contentsOfFile: next, encoding: .utf8)
        let success = try #require(value(after, "keyroll_job_last_success_timestamp_seconds{\(group),job=\"rotate\"}"))
        #expect(abs(success - Date().timeIntervalSince1970) < 120)
        #expect(value(after, "keyroll_quarantined_secrets{\(group)}") == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.folder).filter { $0.hasPrefix(".") } == [])
    }

    @Test func whileAJobRunsItIsThere() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(2000))
        let file = home.folder + "/keyroll.prom"
        let child = try home.keyroll.start(["rotate", "--force", "--max-rate", "500", "--metrics-file", file])
        try home.waitUntilHalfMoved(child, to: 2)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(value(text, "keyroll_job_running{group=\"default\",job=\"rotate\"}") == 1)
        child.signal(SIGTERM)
        #expect(child.wait().code == 75)
        let after = try String(contentsOfFile: file, encoding: .utf8)
        #expect(value(after, "keyroll_job_running{group=\"default\",job=\"rotate\"}") == 0)
        #expect(value(after, "keyroll_job_last_success{group=\"default\",job=\"rotate\"}") == 0)
        #expect(try #require(value(after, "keyroll_remaining_secrets{group=\"default\"}")) > 0)
    }

    @Test func aFileThatCannotBeWritten() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(50))
        let outcome = try home.keyroll("rotate", "--force", "--metrics-file", "/nonexistent/k.prom", exits: 74)
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
        outcome.expectErrors(["/nonexistent/k.prom", "metrics were not written"])
        #expect(try home.census().counts == [2: 50], "the job itself is done")
        try home.keyroll("rotate", "--metrics-file", "", exits: 64)
    }

    /// As root a rename would put a file in the place of a device.
    @Test func aDeviceStaysADevice() throws {
        let home = try ScratchHome()
        let link = home.folder + "/link.prom"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: home.folder + "/real.prom")
        try Data().write(to: URL(fileURLWithPath: home.folder + "/real.prom"))
        try home.keyroll("status", "--metrics-file", link)
        let written = try String(contentsOfFile: home.folder + "/real.prom", encoding: .utf8)
        #expect(written.hasPrefix("# HELP keyroll_build_info"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link).hasSuffix("/real.prom"))
        for arguments in [["rotate", "--metrics-file", "/dev/null"], ["report", "--html", "/dev/null"]] {
            #expect(try home.keyroll.run(arguments).code == 0)
            var status = stat()
            #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        }
    }

    @Test(.enabled(if: SmallDisk.canMount, "NOT RUN: mounting a small disk takes root and the right to mount"))
    func aFullDiskKeepsTheOldFile() throws {
        let disk = try SmallDisk(kibibytes: 64)
        let home = try ScratchHome()
        let file = disk.path + "/keyroll.prom"
        try home.keyroll("rotate", "--metrics-file", file)
        let before = try Data(contentsOf: URL(fileURLWithPath: file))
        let ballast = try disk.fill(leaving: 0)
        let outcome = try home.keyroll("rotate", "--metrics-file", file, exits: 74)
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
        outcome.expectErrors([file])
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted() == ["ballast", "keyroll.prom"])
        try FileManager.default.removeItem(atPath: ballast)
        try home.keyroll("rotate", "--metrics-file", file)
    }

    @Test func theExampleAlertsFireWhenTheyShould() throws {
        let outcome = try Tool.attempt(["promtool", "test", "rules", "keyroll-alerts.test.yml"], in: Self.rules)
        #expect(outcome.code == 0, "\(outcome.text)\(outcome.errors)")
        // Every metric that the rules name is one that keyroll writes.
        let home = try ScratchHome()
        try home.keyroll("rotate", "--metrics-file", home.folder + "/k.prom")
        let written = try String(contentsOfFile: home.folder + "/k.prom", encoding: .utf8)
        let rules = try String(contentsOfFile: Self.rules + "/keyroll-alerts.yml", encoding: .utf8)
        for match in rules.matches(of: /keyroll_[a-z_]+/) where !match.output.hasPrefix("keyroll_job_last_success_") {
            #expect(written.contains("\n\(match.output){"), "\(match.output) is not written")
        }
    }

    /// systemd is told how far a job is.
    @Test func systemdIsTold() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(3000))
        let place = home.folder + "/notify"
        let listener = try Child(
            "/usr/bin/env",
            [
                "python3", "-c",
                """
                import socket, sys
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.bind(sys.argv[1])
                print(s.recv(4096).decode(), flush=True)
                """, place,
            ], environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"])
        while !FileManager.default.fileExists(atPath: place) { usleep(1000) }
        var keyroll = home.keyroll
        keyroll.variables["NOTIFY_SOCKET"] = place
        try keyroll("rotate", "--force", "--max-rate", "500", "--quiet")
        let told = listener.wait(atMost: 30).text
        #expect(told.hasPrefix("STATUS=rewrap: ") && told.contains(" of 3000 ("), "\(told)")
    }
}
