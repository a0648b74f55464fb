import Foundation
import Testing

/// What a person sees in a real terminal (a pty), wide or narrow, and what programs see that read the output.
@Suite struct TerminalTests {
    /// Runs a command in a terminal of this width.
    private func inTerminal(
        _ home: ScratchHome, columns: Int, _ arguments: [String], _ variables: [String: String] = [:]
    ) throws -> Outcome {
        let environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "TERM": "xterm",
            "KEYROLL_HOME": home.path, "HOME": "/nonexistent",
        ].merging(variables) { $1 }
        return try Child(
            "/usr/bin/env",
            ["python3", "\(Python.package)/Tests/interop/terminal.py", "\(columns)", Keyroll.binary] + arguments,
            environment: environment
        ).wait()
    }

    /// The states of the line that is written over and over.
    private func frames(_ outcome: Outcome) -> [String] {
        outcome.text.components(separatedBy: "\r\u{1B}[K").dropFirst().map {
            String($0.prefix { $0 != "\r" && $0 != "\r\n" && $0 != "\n" })
        }.filter { !$0.isEmpty }
    }

    @Test func progressFitsTheTerminal() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(2000))
        for columns in [20, 40, 80, 160] {
            let outcome = try inTerminal(home, columns: columns, ["rotate", "--force", "--max-rate", "1500"])
            #expect(outcome.code == 0, "\(outcome.text)")
            // What follows the last frame is the answer.
            let shown = frames(outcome).filter { $0.contains("%") }
            #expect(shown.count >= 3, "\(columns) columns: \(outcome.text)")
            for frame in shown { #expect(frame.count < columns, "\(columns) columns: '\(frame)'") }
            if columns == 160 {
                #expect(
                    shown.contains {
                        $0.hasPrefix("[#") && $0.contains("a second, ") && $0.contains(" left, limited by ")
                    })
            }
        }
    }

    @Test func quietIsQuiet() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(1000))
        let outcome = try inTerminal(home, columns: 80, ["rotate", "--force", "--max-rate", "1000", "--quiet"])
        #expect(outcome.code == 0 && outcome.text == "", "\(outcome.text)")
        try Python.damage(home, "flip-key", "secret-7")
        let failed = try home.keyroll("verify", "--quiet", exits: 65)
        #expect(failed.output.isEmpty && failed.errorLines.count == 1 && failed.errors.contains("secret-7"))
        let both = try home.keyroll("verify", "--quiet", "--json", exits: 65)
        #expect(try both.object()["scanned"] as? Int == 1000)
        try home.keyroll("verify", "--quiet", "--verbose", exits: 64)
    }

    @Test func coloursOnATerminalOnly() throws {
        let home = try ScratchHome()
        func colours(_ outcome: Outcome) -> Bool { outcome.text.contains("\u{1B}[") }
        #expect(colours(try inTerminal(home, columns: 80, ["status"])))
        #expect(!colours(try inTerminal(home, columns: 80, ["status"], ["NO_COLOR": "1"])))
        #expect(!colours(try inTerminal(home, columns: 80, ["status"], ["TERM": "dumb"])))
        #expect(!colours(try inTerminal(home, columns: 80, ["status", "--json"])))
        #expect(!colours(try home.keyroll("status")))
        let wrong = try inTerminal(home, columns: 80, ["get", "nobody"])
        #expect(wrong.code == 66 && wrong.text.contains("\u{1B}[31mkeyroll:\u{1B}[0m no secret"), "\(wrong.text)")
        #expect(!colours(try inTerminal(home, columns: 80, ["get", "nobody"], ["NO_COLOR": "1"])))
    }

    @Test(arguments: ["list", "report --html -", "status", "export --format jsonl", "help"])
    func aReaderThatGoesAwayIsNoFault(_ command: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(20_000))
        let script = "set -o pipefail; \"$0\" \(command) | head -n 1 >/dev/null"
        let outcome = try Child(
            "/bin/bash", ["-c", script, Keyroll.binary],
            environment: ["PATH": "/usr/bin:/bin", "KEYROLL_HOME": home.path]
        ).wait()
        #expect(outcome.errors == "", "\(command): \(outcome.errors)")
        // As every other tool: the signal of a closed pipe, or an end before it was noticed.
        #expect([0, 141, 128 + 13, 74].contains(outcome.code), "\(command): \(outcome.code)")
    }

    @Test func helpIsGroupedByStory() throws {
        let home = try ScratchHome(isMade: false)
        let text = try home.keyroll("help").text
        for title in [
            "SECRETS", "NIGHTLY ROTATION", "AFTER A COMPROMISE", "OLD CONTENT, AND WHEN KEYS ARE LOST", "WHO DID WHAT",
            "WHO MAY REACH THE KEYS", "THE HOME",
        ] {
            #expect(
                text.uppercased().contains(title + " SUBCOMMANDS:") || text.uppercased().contains(title + ":"),
                "\(title): \(text)")
        }
    }
}
