import Access
import ArgumentParser
import Audit
import Broker
import BrokerWire
import Files
import Home
import KeyManagement
import Keyroll

/// `keyroll access policy`
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "The signed policy of access: roles, approvers, limits.",
        discussion: """
            Write it (template, or show of the present one with a higher revision), sign it with \
            openssl cms -sign -binary -outform PEM -in access.yaml -signer owner.pem -inkey owner.key -out access.p7s, \
            and install it (set). The first is installed by whoever has the home and signed by one of its own owners; \
            each later one has to be signed by an owner of the one before.
            """,
        subcommands: [Template.self, ShowIt.self, Check.self, SetIt.self])

    struct Template: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a policy to begin with.")
        @OptionGroup var home: HomeOptions

        func run() {
            reporting {
                Output.print(AccessPolicy.template(of: try home.open().keeper.keyring.ring))
                return .done
            }
        }
    }

    struct ShowIt: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Print the policy that is in force, as it was signed.")
        @OptionGroup var home: HomeOptions

        func run() {
            reporting {
                let document: [UInt8]?
                if let socket = home.brokerSocket {
                    document = try PolicyCommand.ask(socket, .showPolicy)
                } else {
                    document = try home.open().keeper.keyring.ring.access?.document
                }
                guard let document else {
                    throw AccessError(
                        .noSuchRequest, "no policy of access is in force; see: keyroll access policy template")
                }
                document.withUnsafeBytes { Output.bytes($0) }
                return .done
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether a policy would be taken, but for its signature.")
        @Argument(help: "The policy, YAML.", completion: .file()) var file: String

        func run() {
            reporting {
                let policy = try AccessPolicy(yaml: InputFile.read(file, limit: AccessPolicy.limit), from: file)
                for role in Role.allCases {
                    let members = policy.roles[role] ?? Members()
                    let names = members.users + members.groups.map { "group \($0)" }
                    Output.print("\(role.rawValue): \(names.isEmpty ? "nobody" : names.joined(separator: ", "))\n")
                }
                for level in policy.levels {
                    Output.print(
                        "\(level.name): \(level.approvals) of \(level.people.sorted().joined(separator: ", "))\n")
                }
                return .done
            }
        }
    }

    struct SetIt: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "set", abstract: "Install a signed policy.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "The policy, YAML.", completion: .file()) var file: String
        @Option(help: "The owner's CMS signature over it: PEM, DER or S/MIME.", completion: .file()) var signature:
            String

        func run() {
            reporting {
                let document = try InputFile.read(file, limit: AccessPolicy.limit)
                let signature = try InputFile.read(signature, limit: 256 << 10)
                if let socket = home.brokerSocket {
                    _ = try PolicyCommand.ask(
                        socket, .installPolicy(signatureLength: signature.count), payload: document + signature)
                } else {
                    let opened = try home.open()
                    let log = try opened.auditLog(forwarder: nil)
                    try PolicyInstallation.install(
                        document, signature: signature, from: file, in: opened, by: .own(), log: log, now: .now)
                    try log.close()
                }
                return .done
            }
        }
    }

    fileprivate static func ask(_ socket: String, _ request: BrokerRequest, payload: [UInt8] = []) throws -> [UInt8] {
        do {
            return try payload.withUnsafeBytes {
                try BrokerClient(path: socket).ask(request, payload: $0) { Array($0) }
            }
        } catch let error as BrokerClient.Failed { throw error.failure.thrown }
    }
}

/// A file that somebody hands in.
enum InputFile {
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        guard let bytes = try PrivateFile.read(path, limit: limit) else {
            throw FileError(.inputOutput, path, "is larger than \(limit) bytes")
        }
        return bytes
    }
}
