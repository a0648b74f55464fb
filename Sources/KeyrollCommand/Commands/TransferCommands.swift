public import ArgumentParser
import Audit
import FoundationEssentials
import Home
public import Interchange
import Jobs
import KeyManagement
import Reports
import Rotation
import SecretStores

extension ImportFormat: ExpressibleByArgument {}

/// `keyroll import`
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Import secrets from a folder tree, JSON Lines or CSV.",
        discussion: """
            A folder: each file is a secret, its path below the folder is the name. JSON Lines: {"name":…,"secret":…} \
            or "secretBase64", optionally "context". CSV as browsers and password managers export it: the name is \
            url#username, the secret is the password. Same name with the same content is no change; with another \
            content it is reported and kept, unless --replace. '-' is standard input.
            """)
    @OptionGroup var home: HomeOptions
    @OptionGroup var arguments: RunArguments
    @Argument(help: "Files and folders.", completion: .file()) var paths: [String]
    @Option(help: "files, jsonl or csv (else told by the path).") var format: ImportFormat?
    @Flag(help: "Write over secrets with another content.") var replace = false
    @Flag(help: "CSV: keep the whole row as a JSON object.") var wholeRow = false
    @Option(help: "The store to import into (else the first).") var store: String?

    func run() {
        reporting {
            guard !paths.contains("-") || !Surroundings.hasNoInput else {
                throw StoreError(.notAccepted, "standard input is closed; '-' is read from there")
            }
            let opened = try home.open()
            let source = try RecordSource(paths: paths, format: format, wholeRow: wholeRow)
            let control = RunControl()
            let job = ImportJob(opened, in: store, replace: replace, options: arguments.options, control: control)
            let output = arguments.output
            let ran = try JobRunner.during("import", opened, control, output) { try job.run(source) }
            let report = ran.report
            let count = report.problemCount
            for problem in report.problems.prefix(100) { Output.error("\(problem)") }
            if count > 100 { Output.error("and \(count - 100) more problems; --json names them") }
            if arguments.json {
                try report.json().withUnsafeBytes { Output.bytes($0) }
            } else if let counts = report.importCounts, !output.isQuiet {
                Output.print(
                    "\(arguments.dryRun ? "dry run: " : "")\(counts.added) added, \(counts.replaced) replaced, \(counts.unchanged) unchanged, \(counts.kept) kept, \(count - counts.kept) bad inputs; \(Numbers.short(report.secretsPerSecond)) a second\n"
                )
            }
            output.show(report.notes)
            if report.wasInterrupted {
                Output.error("interrupted after \(report.tally.scanned) records; run it again to go on")
                return .tryAgain
            }
            return count == 0 && !report.needsAttention ? ran.end : .someFailed
        }
    }
}

/// `keyroll export`
struct Export: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case cose, jsonl }

    static let configuration = CommandConfiguration(
        abstract: "Write secrets as standard COSE messages, or in clear as JSON Lines.",
        discussion: """
            cose: a JSON object a line with name, context, generation, birth, and in base64 the complete COSE_Encrypt \
            message and its external_aad; any COSE library opens it, given the generation's key. jsonl: the plaintext, \
            as import reads it.
            """)
    @OptionGroup var home: HomeOptions
    @Argument(help: "Names (else all secrets).") var names: [String] = []
    @Option(help: "cose or jsonl.") var format: Format
    @Option(help: "Only this store (else all).") var store: String?

    func run() {
        reporting {
            let opened = try home.open()
            // Whoever has the home does without the broker, not without the log.
            if opened.keeper.keyring.ring.access != nil {
                let what: AuditValue = names.isEmpty ? .text("all secrets") : .number(Int64(names.count))
                let events = [
                    AuditEvent(
                        .unprotect, .begun, by: .own(),
                        facts: [("export", .text(format == .cose ? "cose" : "jsonl")), ("secrets", what)])
                ]
                let each = names.map { AuditEvent(.unprotect, .begun, by: .own(), secret: $0) }
                try opened.auditLog().append(events + each, synced: true)
            }
            let writer = try ExportWriter(opened, store: store)
            let failed =
                try names.isEmpty
                ? writer.all(asMessages: format == .cose) : writer.some(names, asMessages: format == .cose)
            for line in failed { Output.error(Output.shown(line)) }
            return failed.isEmpty ? .done : .someFailed
        }
    }
}
