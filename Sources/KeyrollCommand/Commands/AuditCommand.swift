import ArgumentParser
import Audit
import Cryptography
import Files
import FoundationEssentials
import Home
import KeyManagement

/// `keyroll audit`
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Verify, export and sign the audit log.",
        subcommands: [AuditVerify.self, AuditExportCommand.self, AuditHead.self, AuditCheckpoint.self])
}

/// `keyroll audit verify`
struct AuditVerify: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Find the first entry that is not as it was written.",
        discussion: """
            Without FOLDER the home's own log is verified, its end included. With FOLDER and --signer any copy on any \
            machine, without a key; whether entries are missing at its end is told by --anchor: the hash of an entry \
            that has to be there, as keyroll audit head printed it. Exit code 3: whole, but the last line was cut off \
            by a crash, or, without an anchor, entries are not here that came before, or follow the last signed checkpoint \
            of a copy.
            """)
    @OptionGroup var home: HomeOptions
    @Option(help: "An entry that has to be in the log: HASH or NUMBER:HASH.") var anchor: String?
    @Option(help: "A signer's certificate (PEM), such as the home's identity/signer.pem.", completion: .file())
    var signer: [String] = []
    @Flag(help: "One JSON object.") var json = false
    @Argument(help: "The log's folder.", completion: .directory) var folder: String?

    var isAboutHome: Bool { folder == nil && signer.isEmpty }

    func validate() throws {
        guard folder == nil || !signer.isEmpty else {
            throw ValidationError("with a FOLDER, name whose signatures count: --signer PEM")
        }
    }

    func run() {
        reporting {
            let verdict = try verify()
            if json {
                try Self.json(verdict).withUnsafeBytes { Output.bytes($0) }
            } else {
                Output.print(Self.text(verdict))
            }
            if let fault = verdict.fault {
                Output.error("the audit log is NOT as it was written, first bad entry \(fault.entry): \(fault.what)")
                return .someFailed
            }
            // In the home the sealed head says how far the log goes, and elsewhere an anchor does; a log that is being
            // written always has some entries behind its last checkpoint.
            let isEndKnown = folder == nil || anchor != nil
            // What was moved away may have been archived, or taken; only who has an anchor says that it does not matter.
            let isBeginningMissing = verdict.first > 1 && anchor == nil
            return verdict.tornBytes > 0 || isBeginningMissing || (verdict.unsigned > 0 && !isEndKnown)
                ? .needsAttention : .done
        }
    }

    private func verify() throws -> AuditVerdict {
        var trusted = try signer.flatMap { path in
            guard let bytes = try PrivateFile.read(path, limit: 1 << 20) else {
                throw FileError(.unsafe, path, "is too large for a certificate")
            }
            return try bytes.withUnsafeBytes { try Certificate.all(inPEM: $0) }
        }
        if let folder {
            return try AuditVerifier.verify(folder: folder, trusted: trusted, anchor: anchor)
        }
        let opened = try home.open()
        trusted += try opened.keeper.trustedSigners()
        return try AuditVerifier.verify(
            folder: opened.layout.audit, trusted: trusted, group: opened.keeper.keyring.ring.group, anchor: anchor,
            seal: opened.keeper.auditTag)
    }

    private static func text(_ verdict: AuditVerdict) -> String {
        var lines: [String] = []
        if verdict.entries > 0 {
            lines.append(
                "entries \(verdict.first) to \(verdict.head.number) follow one another, \(verdict.checkpoints) signed checkpoints"
            )
        }
        if verdict.first > 1 {
            lines.append("the log begins with entry \(verdict.first) here; what was before it is not looked at")
        }
        if verdict.fault == nil {
            if verdict.tornBytes > 0 {
                lines.append(
                    "the last line was cut off by a crash (\(verdict.tornBytes) bytes); the last whole entry is \(verdict.head.number)"
                )
            }
            if verdict.unsigned > 0 {
                lines.append(
                    "the last \(verdict.unsigned) entries are not signed yet: whether more followed them nobody can tell from signatures"
                )
            }
            lines.append("\(verdict.head.number) \(verdict.head.hash)")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func json(_ verdict: AuditVerdict) throws -> [UInt8] {
        struct Document: Encodable {
            struct Fault: Encodable {
                var entry: UInt64
                var what: String
            }
            var entries: UInt64
            var first: UInt64
            var last: UInt64
            var hash: String
            var checkpoints: Int
            var unsigned: UInt64
            var tornBytes: Int
            var fault: Fault?
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let document = Document(
            entries: verdict.entries, first: verdict.first, last: verdict.head.number, hash: verdict.head.hash,
            checkpoints: verdict.checkpoints, unsigned: verdict.unsigned, tornBytes: verdict.tornBytes,
            fault: verdict.fault.map { .init(entry: $0.entry, what: $0.what) })
        return Array(try encoder.encode(document)) + [10]
    }
}

/// `keyroll audit export`
struct AuditExportCommand: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write entries to standard output as they are stored (JSON Lines).")
    @OptionGroup var home: HomeOptions
    @Option(help: "The first entry's number.") var from: UInt64?
    @Option(help: "The last entry's number.") var to: UInt64?
    @Option(help: "One kind, such as unprotect.") var kind: String?
    @Option(help: "One user's name.") var user: String?
    @Option(help: "One secret's name.") var secret: String?
    @Option(help: "From this time on, such as 2026-11-20T12:00:00Z.") var since: String?
    @Argument(help: "The log's folder; else the home's.", completion: .directory) var folder: String?

    func validate() throws {
        if let kind, AuditEvent.Kind(rawValue: kind) == nil {
            let kinds = AuditEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("'\(kind)' is no kind of entry; one of: \(kinds)")
        }
        if let since, Timestamp(since) == nil {
            throw ValidationError("--since has to be a time such as 2026-11-20T12:00:00Z")
        }
    }

    func run() {
        reporting {
            var export = AuditExport()
            export.from = from ?? 1
            export.to = to ?? .max
            export.kind = kind.flatMap { AuditEvent.Kind(rawValue: $0) }
            export.user = user
            export.secret = secret
            export.since = since.flatMap { Timestamp($0) }
            // Lines are gathered: a system call for each would take most of the time.
            var waiting: [UInt8] = []
            waiting.reserveCapacity(1 << 17)
            try export.run(folder ?? home.layout.audit) { line in
                waiting += line
                guard waiting.count >= 1 << 16 else { return }
                waiting.withUnsafeBytes { Output.bytes($0) }
                waiting.removeAll(keepingCapacity: true)
            }
            waiting.withUnsafeBytes { Output.bytes($0) }
            return .done
        }
    }
}

/// `keyroll audit head`
struct AuditHead: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        commandName: "head", abstract: "Print the last entry's number and hash, to be kept elsewhere.",
        discussion: "keyroll audit verify --anchor HASH tells later whether that entry is still in the log.")
    @OptionGroup var home: HomeOptions
    @Argument(help: "The log's folder; else the home's.", completion: .directory) var folder: String?

    func run() {
        reporting {
            let head = try AuditExport.head(folder ?? home.layout.audit)
            Output.print("\(head.number) \(head.hash)\n")
            return .done
        }
    }
}

/// `keyroll audit checkpoint`
struct AuditCheckpoint: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Sign the log as it stands now.")
    @OptionGroup var home: HomeOptions

    func run() {
        reporting {
            let opened = try home.open()
            guard PrivateFile.exists(opened.layout.audit) else {
                throw AuditError(.missing, "\(opened.layout.audit): there is no audit log here")
            }
            let log = try opened.auditLog()
            try log.checkpoint()
            try log.sync()
            let head = try log.head
            Output.print("\(head.number) \(head.hash)\n")
            return .done
        }
    }
}
