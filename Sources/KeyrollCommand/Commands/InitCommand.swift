import ArgumentParser
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

    func validate() throws {
        guard !group.isEmpty, group.utf8.count <= 128, Output.shown(group) == group else {
            throw ValidationError("--group has to be 1 to 128 bytes of text without control characters")
        }
    }

    func run() {
        reporting {
            let layout = home.layout
            let configuration = HomeConfiguration(
                group: group, policy: .standard, rootKey: passphrase ? .passphrase : .keyFile("root.key"))
            let number = try Home.create(layout, configuration: configuration, ask: home.ask(isNew: true))
            Output.print("made \(layout.path): group \(group), generation \(number) is active\n")
            if !passphrase {
                Output.note("keep a copy of \(layout.path)/root.key elsewhere: without it nothing here opens again")
            }
            return .done
        }
    }
}
