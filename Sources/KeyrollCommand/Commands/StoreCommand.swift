import ArgumentParser
import Custody
import Home
import Jobs
import KeyManagement
import Reports
import Rotation
import SecretStores

/// `keyroll store`
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "The secret stores of the home.",
        subcommands: [ListThem.self, Add.self, Copy.self, Remove.self])

    /// `keyroll store list`
    struct ListThem: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Name, kind and place of each, its secrets and its fence.")
        @OptionGroup var home: HomeOptions
        @Flag(help: "One JSON object.") var json = false

        func run() {
            reporting {
                let listing = try StoreListing(home.open())
                if json {
                    try listing.json().withUnsafeBytes { Output.bytes($0) }
                } else {
                    for line in listing.text.split(separator: "\n") {
                        let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
                        Output.print(cells.map { Output.shown(String($0)) }.joined(separator: "\t") + "\n")
                    }
                }
                return listing.lines.contains { $0.error != nil } ? .needsAttention : .done
            }
        }
    }

    /// `keyroll store add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a store: a new one, or one of this group that is there already.",
            discussion: """
                keyroll.yaml is written anew: every value stays, comments are lost. The new store is the last one, so \
                that secrets go on into the first unless --store chooses another.
                """)
        @OptionGroup var home: HomeOptions
        @OptionGroup var kind: StoreKindOptions
        @Argument(help: "Its name: 1 to 64 of A-Z a-z 0-9 . _ -.") var name: String

        func validate() throws {
            guard kind.kind != nil else { throw ValidationError("name the store's --kind: sqlite or postgres") }
        }

        func run() {
            reporting {
                guard let entry = try kind.entry(name) else {
                    throw CustodyError(.usage, "name the store's --kind: sqlite or postgres")
                }
                let outcome = try StoreAddition(home.open()).add(entry)
                Output.print(
                    "\(outcome.isNew ? "made and added" : "added") store '\(name)' at \(Output.shown(outcome.place)): \(outcome.secrets) secrets\n"
                )
                Output.note("applications that have the home open do not see it until they open it again")
                return .done
            }
        }
    }

    /// `keyroll store copy`
    struct Copy: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy a store into a new one, as it is, while applications go on.",
            discussion: """
                With --kind TARGET is made, filled, compared byte for byte, opened secret by secret, and then added \
                behind SOURCE. Without --kind TARGET is an earlier copy, which is brought up to SOURCE as it is now. \
                Wrapped keys are copied as they are: no secret is encrypted anew.
                """)
        @OptionGroup var home: HomeOptions
        @OptionGroup var kind: StoreKindOptions
        @Argument(help: "The store that is copied.") var source: String
        @Argument(help: "The new store's name, or that of an earlier copy.") var target: String
        @Option(help: "Crypto workers (else one a core).") var workers: Int?
        @Flag(help: "One JSON object on standard output and nothing else.") var json = false

        func validate() throws {
            if let workers, !(1...64).contains(workers) { throw ValidationError("--workers has to be 1 to 64") }
        }

        func run() {
            reporting {
                let opened = try home.open()
                let control = RunControl()
                let job = StoreCopyJob(
                    opened, options: RunOptions(workers: workers ?? RunArguments.cores), control: control)
                let entry = try kind.entry(target)
                let report = try Progress.during(control) {
                    try entry.map { try job.copy(source, to: $0) } ?? job.update(source, to: target)
                }
                return try show(report)
            }
        }

        private func show(_ report: StoreCopyReport) throws -> Exit {
            for fault in report.closed.prefix(100) {
                Output.error("secret '\(fault.name)': \(fault.reason.rawValue) (generation \(fault.generation))")
            }
            for place in report.unreadable.prefix(100) {
                Output.error("'\(source)' cannot be read at \(place); run: keyroll doctor")
            }
            if json {
                try report.json().withUnsafeBytes { Output.bytes($0) }
            } else if !report.wasInterrupted {
                Output.print(
                    "copied '\(source)' to '\(target)' (\(Output.shown(report.place))): \(report.copied) written, \(report.same) of \(report.secrets) the same byte for byte, \(report.closedCount) do not open\njob \(report.job)\n"
                )
            }
            if report.wasInterrupted {
                Output.error("interrupted; the copy is not in use: run it again to go on")
                return .tryAgain
            }
            for note in report.notes { Output.note("note: \(note)") }
            if report.changed > 0 {
                Output.error(
                    "\(report.changed) secrets of '\(source)' changed since they were copied: stop what writes, run keyroll rotate, and then keyroll store copy \(source) \(target)"
                )
            }
            Output.note(
                "'\(source)' still comes first; '\(target)' takes its place with: keyroll store remove \(source)")
            return report.isComplete ? .done : .someFailed
        }
    }

    /// `keyroll store remove`
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a store out of keyroll.yaml, once all that is in it is in the other stores.",
            discussion: """
                The store itself stays where it is and as it is, registered as a copy: generations that it needs are \
                not destroyed until keyroll backup forget. Stop what writes beforehand: an application that has the \
                home open goes on with the store that it opened.
                """)
        @OptionGroup var home: HomeOptions
        @Argument(help: "The store's name.") var name: String
        @Flag(help: "Keep what the next store has and this one has not (any more).") var keepExtra = false

        func run() {
            reporting {
                let copy = try StoreRemoval(home.open()).remove(name, keepsExtra: keepExtra)
                Output.print("store '\(name)' is not in keyroll.yaml any more\n")
                if let copy {
                    Output.note(
                        "\(copy.place) stays as it is, registered as copy \(copy.identity); once it is deleted, run: keyroll backup forget \(copy.identity)"
                    )
                }
                Output.note("restart applications that have the home open")
                return .done
            }
        }
    }
}
