import Foundation
import Testing

/// No option of any command takes a secret: keys come from files, passphrases from descriptors, secrets from standard input.
@Suite struct OptionTests {
    private struct Dump: Decodable {
        var command: Command
    }

    private struct Command: Decodable {
        var commandName: String
        var arguments: [Argument]?
        var subcommands: [Command]?

        /// It and everything below it, by the words of each.
        func all(_ above: [String] = []) -> [(words: [String], arguments: [Argument])] {
            let words = above + [commandName]
            return [(words, arguments ?? [])] + (subcommands ?? []).flatMap { $0.all(words) }
        }
    }

    private struct Argument: Decodable {
        struct Name: Decodable {
            var name: String
        }

        var kind: String
        var preferredName: Name?
        var valueName: String?
        var abstract: String?

        var name: String { preferredName?.name ?? valueName ?? "" }
    }

    /// What an option could be called that takes one.
    private static let suspicious = ["key", "pass", "secret", "token", "pin", "credential"]
    /// Names and numbers of secrets.
    private static let harmless = ["secret", "secrets"]

    @Test func noneTakesASecret() throws {
        let dump: Dump = try ScratchHome(isMade: false).keyroll("--experimental-dump-help").decoded()
        let commands = dump.command.all()
        // A walk that finds nothing would find no secret either.
        #expect(commands.count > 70)
        var looked: Set<String> = []
        for (words, arguments) in commands {
            for argument in arguments where argument.kind != "flag" {
                guard Self.suspicious.contains(where: argument.name.contains) else { continue }
                looked.insert(argument.name)
                let what = "\(words.joined(separator: " ")) --\(argument.name): \(argument.abstract ?? "")"
                let help = (argument.abstract ?? "").lowercased()
                let isFile = help.contains("file") || help.contains("pem") || help.contains("where")
                #expect(
                    argument.name.hasSuffix("-fd") || isFile || Self.harmless.contains(argument.name),
                    "is that a secret on the command line? \(what)")
            }
        }
        #expect(looked.isSuperset(of: ["key", "passphrase-fd", "root-key", "recovery-key", "secret"]), "\(looked)")
    }

    /// libpq would take a password there.
    @Test func noPasswordInAConnection() throws {
        let home = try ScratchHome()
        for connection in ["host=/nonexistent password=hunter2", "postgresql://user:hunter2@localhost/db"] {
            for words in [
                ["store", "add", "x", "--kind", "postgres", "--connection", connection],
                [
                    "init", "--home", home.folder + "/x", "--repository", "postgres", "--repository-connection",
                    connection,
                ],
            ] {
                let outcome = try home.keyroll.run(words)
                #expect(outcome.code != 0 && outcome.code != 69, "\(words): \(outcome)")
                #expect(!outcome.errors.contains("hunter2"), "\(outcome)")
                #expect(outcome.errors.contains("password"), "\(outcome)")
            }
        }
    }
}
