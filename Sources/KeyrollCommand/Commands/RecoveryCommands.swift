import Archives
import ArgumentParser
import Custody
import Evidence
import Files
import Home
import Jobs
import KeyManagement
import Reports

/// `keyroll recover`
struct Recover: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rebuild a ring from bundles and a recovery key.",
        discussion: """
            In a home whose root key or key store is lost: keyroll recover --key recovery.pem. \
            Elsewhere, in a folder that is empty or does not exist yet, with --store and --bundle.
            """)
    @OptionGroup var home: HomeOptions
    @OptionGroup var keys: RecoveryOptions
    @Option(help: "A bundle, or a folder of bundles.", completion: .file()) var bundle: [String] = []
    @Option(help: "For a fresh home: a secret store.", completion: .file()) var store: [String] = []
    @Flag(help: "Rebuild a ring that is whole, because its passphrase or root key is lost for good.")
    var replaceRing = false

    func run() {
        reporting {
            guard let key = try keys.files.recoveryKey() else {
                throw CustodyError(.usage, "--key is missing: the file of a recovery key")
            }
            let recovery = try Recovery(home.layout, key: key, signers: keys.files.signers(), bundles: bundle)
            let outcome: Recovery.Outcome
            if try PrivateFile.isThere(home.layout.configuration) {
                guard store.isEmpty else {
                    throw CustodyError(
                        .usage, "\(home.layout.path) has a keyroll.yaml, which names the stores; leave --store out")
                }
                outcome = try recovery.recover(replacesRing: replaceRing, ask: home.askOnce())
            } else {
                guard !store.isEmpty, !bundle.isEmpty else {
                    throw CustodyError(
                        .usage, "\(home.layout.path): no keyroll home here; a fresh one needs --store and --bundle")
                }
                outcome = try recovery.recover(into: store, restoration: nil, expecting: nil)
            }
            Output.print(
                "recovered \(home.layout.path): on line are generations \(outcome.onLine.map(String.init).joined(separator: ", ")); \(outcome.opened) secrets were opened to try it\n"
            )
            for note in outcome.notes { Output.note("note: \(note)") }
            for number in outcome.missing {
                Output.error(
                    "secrets need generation \(number), which no bundle at hand gave; find its bundle and run: keyroll archive restore"
                )
            }
            return outcome.missing.isEmpty ? .done : .someFailed
        }
    }
}

/// `keyroll root`
struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "root", abstract: "The root key that seals the ring.", subcommands: [Change.self])

    /// `keyroll root change`
    struct Change: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal the ring under another root key: a new key file, or a passphrase.")
        @OptionGroup var home: HomeOptions
        @Flag(help: "Seal it with a passphrase instead of a key file.") var toPassphrase = false
        @Option(help: "The new key file's name (else root-2.key, root-3.key …).", completion: .file()) var keyFile:
            String?
        @Option(name: .customLong("new-passphrase-fd"), help: "Read the new passphrase from this descriptor.")
        var newPassphraseDescriptor: Int32?

        func validate() throws {
            if toPassphrase, keyFile != nil {
                throw ValidationError("--to-passphrase and --key-file exclude each other")
            }
        }

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll root change")
                defer { withExtendedLifetime(lock) {} }
                let passphrase = Passphrase(descriptor: newPassphraseDescriptor, isNew: true)
                let target: HomeConfiguration.RootKey =
                    toPassphrase ? .passphrase : .keyFile(keyFile ?? RootChange.freeKeyFile(opened.layout))
                let former = try RootChange.run(
                    opened, to: target, ask: { try passphrase.ask() }, job: JobIdentity.new("root-change"))
                switch target {
                case .keyFile(let path):
                    let path = opened.layout.resolve(path)
                    Output.print("the ring is sealed under \(path)\n")
                    Output.note("keep a copy of \(path) elsewhere: without it nothing here opens again")
                case .passphrase: Output.print("the ring is sealed with the passphrase\n")
                }
                if let former {
                    Output.note("\(former) opens older backups; keep it with them and remove it from here")
                }
                return .done
            }
        }
    }
}

/// `keyroll upgrade`
struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade", abstract: "Bring a home that an older keyroll wrote up to the present formats.")
    @OptionGroup var home: HomeOptions

    func run() {
        reporting {
            let done = try Upgrade.run(home.layout, ask: home.ask(), job: JobIdentity.new("upgrade"))
            Output.print(done.isEmpty ? "everything is of the present formats\n" : done.map { $0 + "\n" }.joined())
            return .done
        }
    }
}

/// `keyroll report`
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "What jobs did: one page for people, or a job's evidence, signed.",
        discussion: """
            --html writes one page that needs nothing else: generations on a time line, the census, the last runs, \
            failures, what is due. Without --job the jobs are listed. With --cms the signed message alone: \
            keyroll report --job ID --cms | openssl cms -verify -inform PEM -CAfile identity/signer.pem
            """)
    @OptionGroup var home: HomeOptions
    @Option(help: "Write a page about the home to this file; - is standard output.") var html: String?
    @Option(help: "The job's identity.") var job: String?
    @Flag(help: "One JSON object: the report, and the signed message.") var json = false
    @Flag(help: "The signed message alone (CMS, PEM, with the report inside).") var cms = false
    @Option(help: "Go on with evidence that was cut off or altered, and record why.", transform: Reason.check)
    var beginAnew: String?

    func validate() throws {
        guard html == nil || (job == nil && !json && !cms && beginAnew == nil) else {
            throw ValidationError("--html stands alone: the page is about the whole home")
        }
        guard html?.isEmpty != true else { throw ValidationError("--html has to be a file's path, or -") }
    }

    func run() {
        reporting {
            let opened = try home.open()
            if let html {
                let page = Array(try StatusPage(opened, version: Version.number).html.utf8)
                try page.withUnsafeBytes { bytes in
                    if html == "-" {
                        Output.bytes(bytes)
                    } else if try !PublicFile.writeToSpecial(html, bytes) {
                        try PrivateFile.write(html, bytes, replacing: true)
                    }
                }
                return .done
            }
            if let beginAnew {
                try EvidenceChain(path: opened.layout.evidence).append(
                    "begin anew", job: JobIdentity.new("report"),
                    [
                        "reason": .text(beginAnew),
                        "recordsBefore": .number(Int64(clamping: opened.keeper.keyring.ring.evidence.count)),
                        "headBefore": .text(opened.keeper.keyring.ring.evidence.head),
                    ])
                try opened.noteEvidence(beginsAnew: true)
                return .done
            }
            guard let job else {
                for (job, kinds) in try SignedReport.jobs(opened) {
                    Output.print("\(Output.shown(job))\t\(Output.shown(kinds.joined(separator: ", ")))\n")
                }
                return .done
            }
            let report = try SignedReport(job, opened)
            let bytes = cms ? report.message : json ? try report.json() : report.content
            bytes.withUnsafeBytes { Output.bytes($0) }
            return .done
        }
    }
}
