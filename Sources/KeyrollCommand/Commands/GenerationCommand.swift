import ArgumentParser
import Audit
import Custody
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
        subcommands: [ListThem.self, Create.self, Activate.self, Compromise.self, Retire.self, Destroy.self])

    /// `keyroll generation list`
    struct ListThem: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "All of them, with their history.")
        @OptionGroup var home: HomeOptions

        func run() {
            reporting {
                for generation in try home.open().keeper.keyring.ring.generations {
                    Output.print(
                        "generation \(generation.number) (\(generation.identity)): \(generation.state.rawValue)\(generation.isArchived && generation.state != .destroyed ? ", archived" : "")\n"
                    )
                    for step in generation.history {
                        Output.print("  \(step.at) \(step.state.rawValue): \(Output.shown(step.reason))\n")
                    }
                    if let archived = generation.archived {
                        Output.print("  \(archived.at) archived: \(Output.shown(archived.reason))\n")
                    }
                    if let restoration = generation.restoration {
                        Output.print(
                            "  \(restoration.since) restored until \(restoration.until): \(Output.shown(restoration.reason))\n"
                        )
                    }
                    if let destruction = generation.destruction, generation.state != .destroyed {
                        Output.print(
                            "  \(destruction.requested) destruction asked for, final from \(destruction.due): \(Output.shown(destruction.reason))\n"
                        )
                    }
                }
                return .done
            }
        }
    }

    /// `keyroll generation create`
    struct Create: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            abstract: "Publish a new generation; it protects once it is activated.")
        @OptionGroup var home: HomeOptions
        @Option(help: "Why, for the history.", transform: Reason.check) var reason = "asked for"

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll generation create")
                defer { withExtendedLifetime(lock) {} }
                Output.print(
                    "generation \(try opened.publish(reason: reason)) is published (pre-activation) and in a verified bundle\n"
                )
                return .done
            }
        }
    }

    /// `keyroll generation activate`
    struct Activate: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            abstract: "Make a published generation the one that protects; the one before is deactivated.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "Its number.") var number: UInt32
        @Option(help: "Why, for the history.", transform: Reason.check) var reason = "asked for"

        func run() {
            reporting {
                let opened = try home.openNaming()
                let lock = try opened.lock(for: "keyroll generation activate")
                defer { withExtendedLifetime(lock) {} }
                // One that was cut off between its publication and its bundle.
                if let generation = opened.keeper.keyring.ring.generation(number), generation.escrow == nil,
                    generation.state == .preActivation
                {
                    try opened.escrow(number)
                }
                try opened.keeper.update { try $0.activate(number, at: .now, reason: reason) }
                if let active = opened.keeper.keyring.ring.active {
                    for store in opened.stores { try store.raiseFence(to: GenerationMark(active)) }
                }
                Output.print("generation \(number) is active; run keyroll rotate to move what older ones protect\n")
                return .done
            }
        }
    }

    /// `keyroll generation compromise`
    struct Compromise: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            abstract: "Mark one as compromised that is not active; keyroll reencrypt does that and more.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "Its number.") var number: UInt32
        @Option(help: "When it happened (RFC 3339, such as 2026-11-20T12:00:00Z).") var occurred: String?
        @Option(help: "Why, for the history.", transform: Reason.check) var reason: String

        func validate() throws {
            if let occurred, Timestamp(occurred) == nil {
                throw ValidationError("--occurred has to be a time such as 2026-11-20T12:00:00Z")
            }
        }

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll generation compromise")
                defer { withExtendedLifetime(lock) {} }
                try opened.keeper.update {
                    try $0.compromise(
                        number, occurred: occurred.flatMap { Timestamp($0) }, found: .now, reason: reason)
                }
                for fault in try Archiving(opened, job: JobIdentity.new("compromise")).write([number]) {
                    Output.note(fault)
                }
                try opened.noteEvidence()
                Output.print(
                    "generation \(number) is compromised; run keyroll reencrypt --compromised \(number) for what it exposed\n"
                )
                return .done
            }
        }
    }

    /// `keyroll generation retire`
    struct Retire: ParsableCommand, Brokered {
        static let configuration = CommandConfiguration(
            abstract: "Take one off line that nothing needs any more; its key is in its bundle only.",
            discussion: """
                The gate counts every slot twice, reopens the bundle, and asks for a proven recovery recipient.                 --override with a reason passes over soak time, policy and quarantine, never over the rest.
                """)
        @OptionGroup var home: HomeOptions
        @Argument(help: "Its number.") var number: UInt32
        @Option(help: "Why, for the history.", transform: Reason.check) var reason = "asked for"
        @Option(help: "Why soak time, policy or quarantine do not count.", transform: Reason.check) var override:
            String?

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll generation retire")
                defer { withExtendedLifetime(lock) {} }
                let job = try JobIdentity.new("retire")
                let retirement = Retirement(opened, job: job)
                try opened.logged("retire", job, facts: [("generation", .number(Int64(number)))]) {
                    try retirement.noteEmpty(at: .now)
                    let obstacles = try retirement.retire(number, reason: reason, override: override)
                    try opened.noteEvidence()
                    guard obstacles.isEmpty else {
                        throw CustodyError(
                            .refused,
                            "generation \(number) stays on line: \(obstacles.map(\.description).joined(separator: "; "))"
                        )
                    }
                }
                Output.print("generation \(number) is off line; its key is in \(opened.bundlePath(number))\n")
                return .done
            }
        }
    }

    /// `keyroll generation destroy`
    struct Destroy: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Destroy a retired one: asked for first, final with --confirm once its retention is over.",
            discussion: "Lists every copy of the key that keyroll knows of, and what still opens it.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "Its number.") var number: UInt32
        @Option(help: "Make it final: the number once more.") var confirm: UInt32?
        @Flag(help: "Take a destruction back that is not final.") var cancel = false
        @Option(help: "Why, for the history.", transform: Reason.check) var reason = "asked for"

        func validate() throws {
            if let confirm, confirm != number {
                throw ValidationError("--confirm \(confirm) is not generation \(number)")
            }
            if cancel, confirm != nil { throw ValidationError("--cancel and --confirm exclude each other") }
        }

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll generation destroy")
                defer { withExtendedLifetime(lock) {} }
                let job = try JobIdentity.new("destroy")
                let destruction = GenerationDestruction(opened, job: job)
                let step = cancel ? "cancelled" : confirm != nil ? "final" : "asked for"
                try opened.logged(
                    "destroy", job, facts: [("generation", .number(Int64(number))), ("step", .text(step))]
                ) {
                    if cancel {
                        try destruction.cancel(number)
                    } else if confirm != nil {
                        try destruction.finish(number)
                    } else {
                        try destruction.request(number, reason: reason)
                    }
                }
                if cancel {
                    Output.print("generation \(number) is not going to be destroyed; it is archived as before\n")
                } else if confirm != nil {
                    Output.print("generation \(number) is destroyed\n")
                } else {
                    let due = opened.keeper.keyring.ring.generation(number)?.destruction?.due
                    Output.print(
                        "the destruction of generation \(number) is final from \(due?.description ?? "-") on, with --confirm \(number); until then --cancel takes it back\n"
                    )
                }
                if !cancel {
                    for line in destruction.copies(number) { Output.print("still there: \(Output.shown(line))\n") }
                }
                try opened.noteEvidence()
                return .done
            }
        }
    }
}
