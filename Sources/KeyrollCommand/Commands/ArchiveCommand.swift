import Archives
import Audit
import ArgumentParser
import Cryptography
import Custody
import Files
import Home
import Jobs
import KeyManagement

/// `keyroll archive`
struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "Signed bundles of generations, and who can open them.",
        subcommands: [
            Create.self, Verify.self, Inspect.self, ListThem.self, Restore.self, Rehearse.self, RecipientCommand.self,
        ])

    /// `keyroll archive create`
    struct Create: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            abstract: "Write bundles anew, for the recipients of today, and verify them.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "Generations; none for all of them.") var numbers: [UInt32] = []

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll archive create")
                defer { withExtendedLifetime(lock) {} }
                let ring = opened.keeper.keyring.ring
                let chosen =
                    numbers.isEmpty
                    ? ring.generations.filter { $0.state != .destroyed && $0.destruction == nil }.map(\.number)
                    : numbers
                let job = try JobIdentity.new("archive")
                let faults = try Archiving(opened, job: job).write(chosen)
                try opened.noteEvidence()
                try opened.logJob(
                    "archive", job, faults.isEmpty ? .done : .failed, reason: faults.first,
                    facts: [("generations", .list(chosen.map(String.init)))])
                for fault in faults { Output.error(fault) }
                for number in chosen where !faults.contains(where: { $0.hasPrefix("generation \(number):") }) {
                    Output.print("\(opened.bundlePath(number))\n")
                }
                return faults.isEmpty ? .done : .someFailed
            }
        }
    }

    /// `keyroll archive verify`
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify bundles: digest, signature, manifest, and with a key what they hold.",
            discussion: "Without a file: every bundle of the home, opened with the archive key.")
        @OptionGroup var home: HomeOptions
        @OptionGroup var keys: RecoveryOptions
        @Argument(help: "Bundles; none for all of the home's.", completion: .file()) var files: [String] = []

        func run() {
            reporting {
                var failed = false
                func attempt(_ what: String, _ body: () throws -> Bundle) {
                    do {
                        let bundle = try body()
                        Output.print(
                            "ok: \(Output.shown(what)): generation \(bundle.number) of '\(Output.shown(bundle.manifest.group.name))'\n"
                        )
                    } catch {
                        failed = true
                        Output.error("\(error)")
                        code = Exit.code(error)
                    }
                }
                var code = Exit.someFailed
                let key = try keys.files.recoveryKey()
                if files.isEmpty {
                    let opened = try home.open()
                    for generation in opened.keeper.keyring.ring.generations
                    where generation.escrow != nil && generation.state != .destroyed {
                        attempt(opened.bundlePath(generation.number)) {
                            let bundle = try opened.verifyBundle(generation.number)
                            if let key { _ = try bundle.open(with: key.opener) }
                            return bundle
                        }
                    }
                } else {
                    let trusted = try keys.files.trusted(home, key)
                    for file in files {
                        attempt(file) {
                            let bundle = try BundleFile.load(file, trusted: trusted)
                            if let key { _ = try bundle.open(with: key.opener) }
                            return bundle
                        }
                    }
                }
                return failed ? code : .done
            }
        }
    }

    /// `keyroll archive inspect`
    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a bundle says of itself, once its signature was verified.")
        @OptionGroup var home: HomeOptions
        @OptionGroup var keys: RecoveryOptions
        @Argument(help: "The bundle.", completion: .file()) var file: String

        func run() {
            reporting {
                let bundle = try BundleFile.load(file, trusted: keys.files.trusted(home, keys.files.recoveryKey()))
                try Output.print(String(decoding: bundle.manifest.json(), as: UTF8.self))
                Output.note(
                    "signed by \(bundle.signer.subject), SHA-256 \(hexadecimal(try bundle.signer.fingerprint()))")
                return .done
            }
        }
    }

    /// `keyroll archive list`
    struct ListThem: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "The bundles that the ring knows of.")
        @OptionGroup var home: HomeOptions

        func run() {
            reporting {
                let opened = try home.open()
                let ring = opened.keeper.keyring.ring
                for generation in ring.generations {
                    guard let escrow = generation.escrow, generation.state != .destroyed else { continue }
                    let names = ring.recipients.filter { escrow.recipients.contains($0.fingerprint) }.map(\.name)
                    Output.print(
                        "\(opened.bundlesPath)/\(escrow.file)\tgeneration \(generation.number)\t\(generation.isArchived ? "archived" : "on line")\twritten \(escrow.written)\tproven restorable \(escrow.rehearsed?.description ?? "never")\topens with \(Output.shown(names.joined(separator: ", ")))\n"
                    )
                }
                return .done
            }
        }
    }

    /// `keyroll archive restore`
    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put an archived generation on line again for a time; it only unprotects.",
            discussion: """
                In a home that is not there yet, with --store and --key, a home is made that reads an old copy of a \
                store with nothing but the bundle.
                """)
        @OptionGroup var home: HomeOptions
        @OptionGroup var keys: RecoveryOptions
        @Argument(help: "The bundle (else the home's own of that generation).", completion: .file()) var bundle: String?
        @Option(help: "The generation.") var generation: UInt32
        @Option(name: .customLong("for"), help: "How long, such as 7d or 12h; at most 366d.") var duration: String
        @Option(help: "Why, for the evidence.", transform: Reason.check) var reason: String
        @Option(help: "For a fresh home: an old copy of a store.", completion: .file()) var store: [String] = []

        func validate() throws {
            guard PolicyDuration.parse(duration) ?? 0 > 0 else {
                throw ValidationError("--for has to be a duration such as 7d or 12h")
            }
        }

        func run() {
            reporting {
                try Restorer.run(
                    home, keys.files, bundle: bundle, generation: generation,
                    seconds: PolicyDuration.parse(duration) ?? 0,
                    reason: reason, stores: store)
            }
        }
    }

    /// `keyroll archive rehearse`
    struct Rehearse: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            abstract: "Prove that bundles can be restored: open them and unprotect with nothing else.")
        @OptionGroup var home: HomeOptions
        @OptionGroup var keys: RecoveryOptions
        @Argument(help: "Generations; none for all of them.") var numbers: [UInt32] = []

        func run() {
            reporting {
                let opened = try home.openNaming()
                let chosen =
                    numbers.isEmpty
                    ? opened.keeper.keyring.ring.generations.filter { $0.escrow != nil && $0.state != .destroyed }.map(
                        \.number)
                    : numbers
                let job = try JobIdentity.new("rehearse")
                let findings = try Rehearsal(opened, job: job).run(chosen, with: keys.files.recoveryKey()?.opener)
                try opened.noteEvidence()
                let fault = findings.lazy.compactMap(\.fault).first
                try opened.logJob(
                    "rehearse", job, fault == nil ? .done : .failed, reason: fault,
                    facts: [("generations", .list(chosen.map(String.init)))])
                for finding in findings {
                    if let fault = finding.fault {
                        Output.error("generation \(finding.number) was NOT proven restorable: \(fault)")
                    } else {
                        Output.print(
                            "generation \(finding.number): restorable, \(finding.samples) samples and \(finding.live) live secrets opened\n"
                        )
                    }
                }
                return findings.contains { $0.fault != nil } ? .someFailed : .done
            }
        }
    }
}

/// Restores a generation, in a home that is there or in a fresh one.
enum Restorer {
    static func run(
        _ home: HomeOptions, _ keys: RecoveryFiles, bundle: String?, generation: UInt32, seconds: Int64,
        reason: String, stores: [String]
    ) throws -> Exit {
        let key = try keys.recoveryKey()
        if try PrivateFile.isThere(home.layout.configuration) {
            guard stores.isEmpty else {
                throw CustodyError(
                    .usage, "\(home.layout.path) is a home already; --store is for a fresh one: name it with --home")
            }
            let opened = try home.openNaming()
            let until = try GenerationRestore(opened, job: JobIdentity.new("restore")).restore(
                bundle, number: generation, seconds: seconds, reason: reason, key: key, signers: keys.signers())
            try opened.noteEvidence()
            Output.print("generation \(generation) is on line until \(until); it only unprotects\n")
            return .done
        }
        guard let bundle, let key, !stores.isEmpty else {
            throw CustodyError(
                .usage,
                "\(home.layout.path): no keyroll home here; a fresh one needs the bundle, --key and --store")
        }
        let restoration = try GenerationRestore.restoration(seconds: seconds, reason: reason)
        let outcome = try Recovery(home.layout, key: key, signers: keys.signers(), bundles: [bundle]).recover(
            into: stores, restoration: restoration, expecting: generation)
        Output.print(
            "made \(home.layout.path): generation \(generation) is on line until \(restoration.until); \(outcome.opened) secrets opened\n"
        )
        for number in outcome.missing { Output.note("note: secrets of generation \(number) need its bundle, too") }
        for note in outcome.notes { Output.note("note: \(note)") }
        return .done
    }
}
