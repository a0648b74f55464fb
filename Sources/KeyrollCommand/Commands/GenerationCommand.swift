import ArgumentParser
import Files
import Home
import Jobs
import KeyManagement
import Protection
import Reports
import SecretStores

/// `keyroll generation`
struct GenerationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generation", abstract: "Key generations and their states.",
        subcommands: [ListThem.self, Create.self, Activate.self])

    /// `keyroll generation list`
    struct ListThem: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "All of them, with their history.")
        @OptionGroup var home: HomeOptions

        func run() {
            reporting {
                for generation in try home.open().keeper.keyring.ring.generations {
                    Output.print(
                        "generation \(generation.number) (\(generation.identity)): \(generation.state.rawValue)\n")
                    for step in generation.history {
                        Output.print("  \(step.at) \(step.state.rawValue): \(Output.shown(step.reason))\n")
                    }
                }
                return .done
            }
        }
    }

    /// `keyroll generation create`
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish a new generation; it protects once it is activated.")
        @OptionGroup var home: HomeOptions
        @Option(help: "Why, for the history.") var reason = "asked for"

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll generation create")
                defer { withExtendedLifetime(lock) {} }
                Output.print("generation \(try opened.publish(reason: reason)) is published (pre-activation)\n")
                return .done
            }
        }
    }

    /// `keyroll generation activate`
    struct Activate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a published generation the one that protects; the one before is deactivated.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "Its number.") var number: UInt32
        @Option(help: "Why, for the history.") var reason = "asked for"

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll generation activate")
                defer { withExtendedLifetime(lock) {} }
                try opened.keeper.update { try $0.activate(number, at: .now, reason: reason) }
                if let active = opened.keeper.keyring.ring.active {
                    for store in opened.stores { try store.raiseFence(to: GenerationMark(active)) }
                }
                Output.print("generation \(number) is active; run keyroll rotate to move what older ones protect\n")
                return .done
            }
        }
    }
}
