import Archives
import ArgumentParser
import Cryptography
import Custody
import Files
import Home
import KeyManagement

/// `keyroll archive recipient`
struct RecipientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipient", abstract: "Whose keys open the bundles.",
        subcommands: [Add.self, ListThem.self, Prove.self, Export.self])

    /// `keyroll archive recipient add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add one by certificate; keyroll rotate writes the bundles anew for it.",
            discussion: "It counts once its holder has answered a challenge: keyroll archive recipient prove NAME.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "What to call it.") var name: String
        @Option(
            help: "Its X.509 certificate, PEM or DER: RSA of 2048 bits or more, P-256, P-384, P-521.",
            completion: .file())
        var certificate: String

        func validate() throws {
            guard !name.isEmpty, name.utf8.count <= 64, Output.shown(name) == name else {
                throw ValidationError("a recipient's name has to be 1 to 64 bytes of text without control characters")
            }
        }

        func run() {
            reporting {
                let opened = try home.open()
                let recipient = try Recipient(name, certificate: CertificateFile.read(certificate), at: .now)
                try opened.keeper.update { try $0.add(recipient) }
                Output.print("added \(name); now: keyroll archive recipient prove \(name), then keyroll rotate\n")
                return .done
            }
        }
    }

    /// `keyroll archive recipient list`
    struct ListThem: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "All of them.")
        @OptionGroup var home: HomeOptions

        func run() {
            reporting {
                for recipient in try home.open().keeper.keyring.ring.recipients {
                    let kind =
                        switch recipient.kind {
                        case .certificate: "certificate"
                        case .archiveKey: "symmetric key"
                        }
                    Output.print(
                        "\(Output.shown(recipient.name))\t\(kind)\t\(hexadecimal(recipient.fingerprint))\tadded \(recipient.added)\t\(recipient.proven.map { "proven \($0)" } ?? "NOT proven")\n"
                    )
                }
                return .done
            }
        }
    }

    /// `keyroll archive recipient prove`
    struct Prove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let its holder decrypt a challenge.",
            discussion: """
                Without an option the challenge is printed; its holder answers elsewhere, with: \
                openssl cms -decrypt -inform PEM -in challenge -inkey recovery.pem -out answer. \
                Then: keyroll archive recipient prove NAME --answer answer.
                """)
        @OptionGroup var home: HomeOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "A file with the decrypted challenge.", completion: .file()) var answer: String?
        @Option(help: "The recovery key's file, if it is at hand here.", completion: .file()) var key: String?
        @Option(name: .customLong("key-passphrase-fd"), help: "Read the passphrase of --key from this descriptor.")
        var keyPassphraseDescriptor: Int32?

        func run() {
            reporting {
                let opened = try home.open()
                let ring = opened.keeper.keyring.ring
                if let answer {
                    guard let bytes = try PrivateFile.read(answer, limit: 4096) else {
                        throw CustodyError(.usage, "\(answer): is larger than any answer")
                    }
                    let digest = try bytes.withUnsafeBytes { try sha256($0) }
                    try opened.keeper.update { try $0.prove(name, answer: digest, at: .now) }
                    Output.print("\(name) is proven\n")
                    return .done
                }
                guard let recipient = ring.recipients.first(where: { $0.name == name }) else {
                    throw KeyManagementError(
                        .noSuchRecipient, "no recipient is named '\(name)'; see: keyroll archive recipient list")
                }
                let challenge = try Challenge(for: recipient, archiveKey: opened.keeper.archiveKey().key)
                try opened.keeper.update { try $0.challenge(name, expecting: challenge.answerDigest) }
                guard let key else {
                    Output.print(String(decoding: challenge.message, as: UTF8.self))
                    return .done
                }
                let passphrase = Passphrase(descriptor: keyPassphraseDescriptor, isNew: false)
                let recovery = try RecoveryKey.read(key, ask: { try passphrase.ask() })
                let digest = try Challenge.answer(challenge.message, with: recovery.opener)
                try opened.keeper.update { try $0.prove(name, answer: digest, at: .now) }
                Output.print("\(name) is proven\n")
                return .done
            }
        }
    }

    /// `keyroll archive recipient export`
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the symmetric archive key into a file, to be kept elsewhere.",
            discussion: "It opens every bundle, and no quantum computer helps against it.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "A file that does not exist yet.", completion: .file()) var file: String

        func run() {
            reporting {
                let key = try home.open().keeper.archiveKey()
                try RecoveryKey.export(key.key, identifier: key.identifier, to: file)
                Output.note("keep \(file) elsewhere, then: keyroll archive recipient prove archive-key --key FILE")
                return .done
            }
        }
    }
}

/// Certificates from files.
enum CertificateFile {
    static func read(_ path: String) throws -> Certificate {
        guard let bytes = try PrivateFile.read(path, limit: 64 << 10) else {
            throw CustodyError(.usage, "\(path): is larger than any certificate")
        }
        do { return try Certificate(bytes) } catch let error as CryptographyError where error.code == .malformed {
            throw CryptographyError(.malformed, "\(path): is no X.509 certificate, PEM or DER")
        }
    }
}

/// The recovery key and the signers that count, as options.
struct RecoveryOptions: ParsableArguments {
    @Option(help: "A recovery key's file: a private key (PEM), or an exported archive key.", completion: .file())
    var key: String?
    @Option(name: .customLong("key-passphrase-fd"), help: "Read the passphrase of --key from this descriptor.")
    var keyPassphraseDescriptor: Int32?
    @Option(help: "The certificate of a signer to trust (PEM or DER).", completion: .file()) var signer: [String] = []

    var files: RecoveryFiles {
        RecoveryFiles(key: key, keyPassphraseDescriptor: keyPassphraseDescriptor, signer: signer)
    }
}

/// The same, wherever it is named.
struct RecoveryFiles {
    var key: String?
    var keyPassphraseDescriptor: Int32?
    var signer: [String] = []

    func recoveryKey() throws -> RecoveryKey? {
        guard let key else { return nil }
        let passphrase = Passphrase(descriptor: keyPassphraseDescriptor, isNew: false)
        return try RecoveryKey.read(key, ask: { try passphrase.ask() })
    }

    func signers() throws -> [Certificate] { try signer.map { try CertificateFile.read($0) } }

    /// Whose signatures count: those named, those in the key's file, and the home's where there is one.
    func trusted(_ home: HomeOptions, _ key: RecoveryKey?) throws -> [Certificate] {
        var trusted = try signers() + (key?.signers ?? [])
        if try PrivateFile.isThere(home.layout.configuration) {
            trusted += try home.open().keeper.trustedSigners()
        }
        guard !trusted.isEmpty else {
            throw CustodyError(
                .usage, "nobody's signature is trusted here; name the signer's certificate with --signer")
        }
        return trusted
    }
}
