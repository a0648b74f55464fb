import Access
import Archives
import ArgumentParser
import Audit
import Broker
import BrokerWire
import Cryptography
import Files
import FoundationEssentials
import Glibc
import Home
import Keyroll

/// `keyroll access`
struct AccessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access", abstract: "Who may reach the keys: requests, approvals, and the policy.",
        discussion: "Requests, approvals and grants live in the broker: the kernel tells it who asks.",
        subcommands: [
            Request.self, ListThem.self, Show.self, Approve.self, Deny.self, Revoke.self, PolicyCommand.self,
        ])

    /// Which broker.
    struct BrokerOption: ParsableArguments {
        @Option(help: "The broker's socket (else KEYROLL_BROKER, else the usual place).") var broker: String?

        func client() throws -> BrokerClient {
            guard let socket = BrokerAddress.find(option: broker, hasHome: false) else {
                throw BrokerError(
                    .unreachable, "no broker was found at \(BrokerAddress.usual); name its socket with --broker")
            }
            return BrokerClient(path: socket)
        }

        func ask(_ request: BrokerRequest, payload: [UInt8] = []) throws -> [UInt8] {
            do { return try payload.withUnsafeBytes { try client().ask(request, payload: $0) { Array($0) } } } catch let
                error as BrokerClient.Failed
            { throw error.failure.thrown }
        }

        func cases(_ request: BrokerRequest, payload: [UInt8] = []) throws -> (json: [UInt8], cases: [AccessEntry]) {
            let json = try ask(request, payload: payload)
            guard let cases = try? JSONDecoder().decode([AccessEntry].self, from: Data(json)) else {
                throw BrokerError(.malformed, "the broker answers something else than was asked")
            }
            return (json, cases)
        }
    }

    struct Request: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask for access to secrets for a time; prints the request's name.")
        @OptionGroup var broker: BrokerOption
        @Option(help: "Which secrets: a name, in which * stands for any text and ? for one character.")
        var secrets: String
        @Option(name: .customLong("for"), help: "How long, such as 2h.") var duration: String
        @Option(help: "Why; the approvers read it.") var reason: String
        @Option(help: "unprotect or protect.") var operation = "unprotect"

        func validate() throws {
            guard PolicyDuration.parse(duration) != nil else {
                throw ValidationError("--for has to be such as 2h or 30m")
            }
        }

        func run() {
            reporting {
                let made = try broker.cases(
                    .requestAccess(
                        operation: operation, secrets: secrets, seconds: PolicyDuration.parse(duration) ?? 0,
                        reason: reason))
                Output.print((made.cases.first?.id ?? "") + "\n")
                return .done
            }
        }
    }

    struct ListThem: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "The requests that you may see, and where each stands.")
        @OptionGroup var broker: BrokerOption
        @Flag(help: "A JSON array.") var json = false

        func run() {
            reporting {
                let (bytes, cases) = try broker.cases(.listAccess)
                if json {
                    bytes.withUnsafeBytes { Output.bytes($0) }
                } else {
                    for entry in cases { Output.print(entry.line + "\n") }
                }
                return .done
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One request; with --statement the text that approvers sign.")
        @OptionGroup var broker: BrokerOption
        @Argument(help: "The request.") var id: String
        @Flag(help: "Exactly the text that is signed.") var statement = false
        @Flag(help: "A JSON array of one.") var json = false

        func run() {
            reporting {
                let (bytes, cases) = try broker.cases(.showAccess(id: id))
                guard let entry = cases.first else { return .notFound }
                if json {
                    bytes.withUnsafeBytes { Output.bytes($0) }
                } else {
                    Output.print(statement ? entry.statement : entry.text)
                }
                return .done
            }
        }
    }

    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve a request with a signature over its statement.",
            discussion: """
                Either hand in what openssl cms -sign made (with a smart card, or on another machine), or sign here with \
                --signer and --key.
                """)
        @OptionGroup var broker: BrokerOption
        @Argument(help: "The request.") var id: String
        @Option(help: "The CMS signature: PEM, DER or S/MIME.", completion: .file()) var signature: String?
        @Option(help: "Your certificate, PEM or DER.", completion: .file()) var signer: String?
        @Option(help: "Its private key, PEM or DER.", completion: .file()) var key: String?
        @Option(name: .customLong("key-passphrase-fd"), help: "Read the key's passphrase from this descriptor.")
        var passphraseDescriptor: Int32?

        func validate() throws {
            guard (signature == nil) == (signer != nil && key != nil), (signer == nil) == (key == nil) else {
                throw ValidationError("give either --signature, or --signer and --key")
            }
        }

        func run() {
            reporting {
                let message: [UInt8]
                if let signature {
                    message = try InputFile.read(signature, limit: 256 << 10)
                } else {
                    message = try sign()
                }
                let (_, cases) = try broker.cases(.approveAccess(id: id), payload: message)
                if let entry = cases.first { Output.print(entry.line + "\n") }
                return .done
            }
        }

        private func sign() throws -> [UInt8] {
            guard let entry = try broker.cases(.showAccess(id: id)).cases.first else {
                throw AccessError(.noSuchRequest, "there is no request '\(id)'")
            }
            // What is signed is shown: nobody signs what he has not read.
            for line in entry.statement.split(separator: "\n") { Output.note(String(line)) }
            let certificate = try Certificate(InputFile.read(signer ?? "", limit: 1 << 20))
            let passphrase = Passphrase(descriptor: passphraseDescriptor, isNew: false)
            let bytes = try SecretFile.read(key ?? "")
            let key = try PrivateKey.read(bytes) { try passphrase.ask() }
            guard key.belongs(to: certificate) else {
                throw AccessError(.notAccepted, "the private key is not this certificate's")
            }
            // As openssl cms -sign does unless told otherwise, so that its -verify takes it: lines end with CR and LF.
            let text = entry.statement.utf8.flatMap { $0 == 10 ? [13, 10] : [$0] }
            return try SignedMessage.sign(text, by: certificate, key, isDetached: true)
        }
    }

    struct Deny: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Turn a request down.")
        @OptionGroup var broker: BrokerOption
        @Argument(help: "The request.") var id: String
        @Option(help: "Why.", transform: Reason.check) var reason = "denied"

        func run() {
            reporting {
                let (_, cases) = try broker.cases(.denyAccess(id: id, reason: reason))
                if let entry = cases.first { Output.print(entry.line + "\n") }
                return .done
            }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a grant back at once, or one's own request.")
        @OptionGroup var broker: BrokerOption
        @Argument(help: "The request.") var id: String
        @Option(help: "Why.", transform: Reason.check) var reason = "revoked"

        func run() {
            reporting {
                let (_, cases) = try broker.cases(.revokeAccess(id: id, reason: reason))
                if let entry = cases.first { Output.print(entry.line + "\n") }
                return .done
            }
        }
    }
}

/// A request as people read it.
extension AccessEntry {
    /// One line for people.
    var line: String {
        let more = until.map { " until \($0)" } ?? waitsFor.map { " for \($0)" } ?? ""
        return Output.shown(
            "\(id)  \(standing)\(more)  \(requester): \(operation) \(secrets) for \(PolicyDuration.format(seconds)): \(reason)"
        )
    }

    /// Several.
    var text: String {
        var lines = [line, "  expires \(expires)"]
        lines += approvals.map { "  approved by \($0.user) (\($0.level)) at \($0.at)" }
        if let end { lines.append("  \(end.kind) by \(end.user) at \(end.at): \(end.reason)") }
        return lines.map { Output.shown($0) }.joined(separator: "\n") + "\n"
    }
}
