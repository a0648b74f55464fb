import Archives
import ArgumentParser
import Cryptography
import Home
import KeyManagement

/// `keyroll init`
struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a home with a first, active generation.")
    @OptionGroup var home: HomeOptions

    @Option(help: "The key group's name.")
    var group = "default"

    @Flag(help: "Seal the ring with a passphrase instead of a key file.")
    var passphrase = false

    @OptionGroup var repository: RepositoryOptions

    @Option(help: "Make a recovery key in this file, to be kept elsewhere: it opens every bundle.", completion: .file())
    var recoveryKey: String?

    @Option(help: "Sign bundles and reports with this certificate (PEM) instead of a new one.")
    var signerCertificate: String?

    @Option(help: "The private key of --signer-certificate (PEM).")
    var signerKey: String?

    @Option(
        name: .customLong("signer-passphrase-fd"), help: "Read the passphrase of --signer-key from this descriptor.")
    var signerPassphraseDescriptor: Int32?

    func validate() throws {
        guard (signerCertificate == nil) == (signerKey == nil) else {
            throw ValidationError("--signer-certificate and --signer-key belong together")
        }
        guard !group.isEmpty, group.utf8.count <= 128, Output.shown(group) == group else {
            throw ValidationError("--group has to be 1 to 128 bytes of text without control characters")
        }
    }

    func run() {
        reporting {
            let layout = home.layout
            var configuration = HomeConfiguration(
                group: group, policy: .standard, rootKey: passphrase ? .passphrase : .keyFile("root.key"))
            configuration.repository = repository.chosen
            if repository.printSQL, let script = try RepositoryKinds.script(configuration) {
                Output.print(script)
                return .done
            }
            let number = try Home.create(
                layout, configuration: configuration, recoveryKey: recoveryKey, signer: signer(),
                ask: home.ask(isNew: true))
            Output.print("made \(layout.path): group \(group), generation \(number) is active\n")
            if !passphrase {
                Output.note("keep a copy of \(layout.path)/root.key elsewhere: without it nothing here opens again")
            }
            if let recoveryKey {
                Output.note("keep \(recoveryKey) elsewhere and remove it from here: it opens every bundle")
            } else {
                Output.note(
                    "no recovery recipient yet, so that nothing will be retired; see: keyroll archive recipient add --help"
                )
            }
            return .done
        }
    }

    private func signer() throws -> (certificate: Certificate, key: PrivateKey)? {
        guard let signerCertificate, let signerKey else { return nil }
        let passphrase = Passphrase(descriptor: signerPassphraseDescriptor, isNew: false)
        let key = try PrivateKey.read(SecretFile.read(signerKey), ask: { try passphrase.ask() })
        return (try CertificateFile.read(signerCertificate), key)
    }
}
