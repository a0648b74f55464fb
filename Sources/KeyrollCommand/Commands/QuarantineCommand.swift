import ArgumentParser
import Home
import Rotation
import SecretStores

/// `keyroll quarantine`
struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Secrets that runs could not move.",
        subcommands: [ListThem.self, Retry.self, Accept.self])

    /// `keyroll quarantine list`
    struct ListThem: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Name them, with the reason.")
        @OptionGroup var home: HomeOptions

        func run() {
            reporting {
                let opened = try home.openNaming()
                var open = !opened.unreachable.isEmpty
                for store in opened.stores {
                    for entry in try store.quarantine() {
                        open = open || entry.accepted == nil
                        let accepted = entry.accepted.map { ", accepted: \($0)" } ?? ""
                        Output.print(
                            "\(Output.shown(entry.name))\t\(entry.reason.rawValue)\tgeneration \(entry.generation)\tsince \(entry.firstSeen)\(Output.shown(accepted))\n"
                        )
                    }
                }
                return open ? .needsAttention : .done
            }
        }
    }

    /// `keyroll quarantine retry`
    struct Retry: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            abstract: "Forget the list and try all of them again, as rotate does.")
        @OptionGroup var home: HomeOptions
        @OptionGroup var arguments: RunArguments

        func run() {
            reporting {
                try JobRunner.rotate(
                    home.open(), isForced: false, retriesQuarantined: true, options: arguments.options,
                    output: arguments.output)
            }
        }
    }

    /// `keyroll quarantine accept`
    struct Accept: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            abstract: "Accept one as lost: runs and status stop complaining; nothing is deleted.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "The secret's name.") var name: String
        @Option(help: "Why.", transform: Reason.check) var reason: String

        func run() {
            reporting {
                var found = false
                let opened = try home.openNaming()
                for store in opened.stores {
                    found = try store.acceptQuarantined(name, reason: reason) || found
                }
                guard found || opened.unreachable.isEmpty else { throw opened.absence(of: name, in: nil) }
                guard found else { throw StoreError(.noSuchSecret, "'\(name)' is not quarantined") }
                return .done
            }
        }
    }
}
