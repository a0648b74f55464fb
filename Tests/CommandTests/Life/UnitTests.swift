import Foundation
import Testing

/// What runs the nightly job: the systemd units, the cron line, the CronJob.
@Suite struct UnitTests {
    private static let analyze = "/usr/bin/systemd-analyze"
    private static let hasSystemd = FileManager.default.isExecutableFile(atPath: analyze)

    private func file(_ name: String) throws -> String {
        try String(contentsOfFile: "\(Python.package)/jobs/\(name)", encoding: .utf8)
    }

    @Test(.enabled(if: hasSystemd, "SKIPPED: there is no systemd-analyze on this machine"))
    func systemdAcceptsTheUnits() throws {
        let home = try ScratchHome(isMade: false)
        // The command is not installed here; everything else stays as it is.
        let service = try file("keyroll-rotate.service")
            .replacingOccurrences(of: "/usr/bin/keyroll", with: Keyroll.binary)
        let paths = try [
            home.write("keyroll-rotate.service", service),
            home.write("keyroll-rotate.timer", file("keyroll-rotate.timer")),
        ]
        let environment = ["PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": home.folder + ":"]
        let outcome = try Child(Self.analyze, ["verify"] + paths, environment: environment).wait()
        let ours = outcome.errorLines.filter { $0.contains("keyroll") }
        #expect(outcome.code == 0 && ours.isEmpty, "\(outcome.errors)")
    }

    /// The broker's, and how far they close it in: 2.0 or better on a scale where 10 is a service without any limits.
    @Test(.enabled(if: hasSystemd, "SKIPPED: there is no systemd-analyze on this machine"))
    func theBrokersUnitsAreHardened() throws {
        let home = try ScratchHome(isMade: false)
        let service = try file("keyroll-broker.service")
            .replacingOccurrences(of: "/usr/bin/keyroll", with: Keyroll.binary)
        let paths = try [
            home.write("keyroll-broker.service", service),
            home.write("keyroll-broker.socket", file("keyroll-broker.socket")),
        ]
        let environment = ["PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": home.folder + ":"]
        let outcome = try Child(Self.analyze, ["verify"] + paths, environment: environment).wait()
        let ours = outcome.errorLines.filter { $0.contains("keyroll") }
        #expect(outcome.code == 0 && ours.isEmpty, "\(outcome.errors)")
        // Exit code 1 where the exposure is more than the threshold, which is in tenths.
        let hardened = try Child(
            Self.analyze, ["security", "--offline=true", "--threshold=20", paths[0]], environment: environment
        ).wait()
        #expect(hardened.code == 0, "\(hardened.text.suffix(300))")
        let open = try home.write("open.service", "[Service]\nExecStart=\(Keyroll.binary)\n")
        let bare = try Child(
            Self.analyze, ["security", "--offline=true", "--threshold=20", open], environment: environment
        ).wait()
        #expect(bare.code != 0)
    }

    @Test func allOfThemRunTheSameJobFile() throws {
        let command = "/usr/bin/keyroll run /etc/keyroll/rotate.yaml"
        #expect(try file("keyroll-rotate.service").contains("ExecStart=\(command)\n"))
        #expect(try file("keyroll.cron").contains(command))
        let job = try file("kubernetes-cronjob.yaml")
        #expect(job.contains(#"command: ["/usr/bin/keyroll", "run", "/etc/keyroll/rotate.yaml""#))
        #expect(job.contains("concurrencyPolicy: Forbid") && !job.contains("\t"))
    }
}
