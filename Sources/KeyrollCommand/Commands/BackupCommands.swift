import ArgumentParser
import Cryptography
import Custody
import Files
import Home
import Jobs
import KeyManagement

/// `keyroll backup`
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copies of the home and its stores, made here or by others.",
        subcommands: [Create.self, Register.self, ListThem.self, Forget.self], defaultSubcommand: Create.self)

    /// `keyroll backup create`
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy the home, consistent, while applications go on; the copy is registered.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "A folder that does not exist yet.", completion: .directory) var folder: String
        @Flag(help: "Copy the root key as well: who has the copy then has everything.") var withRoot = false
        @Option(help: "Until when it is kept (such as 2027-11-24); else for ever.") var keepUntil: String?

        func validate() throws { try Moments.check(keepUntil, "--keep-until", isFuture: true) }

        func run() {
            reporting {
                let opened = try home.open()
                let lock = try opened.lock(for: "keyroll backup")
                defer { withExtendedLifetime(lock) {} }
                let copy = try HomeBackup.create(
                    opened, at: HomeLayout.absolute(folder), includesRoot: withRoot,
                    keepUntil: keepUntil.flatMap(Moments.parse), job: JobIdentity.new("backup"))
                try opened.noteEvidence()
                Output.print("backup \(copy.identity) at \(copy.place)\n")
                return .done
            }
        }
    }

    /// `keyroll backup register`
    struct Register: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a copy of a store that others made, so that nothing it needs is destroyed.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "The copy, if it can be looked at.", completion: .file()) var file: String?
        @Option(help: "Else the store that was copied, as keyroll.yaml names it.") var store: String?
        @Option(help: "When (such as 2026-11-24T03:00:00Z); now by default.") var at: String?
        @Option(help: "Until when it is kept (such as 2027-11-24); else for ever.") var keepUntil: String?

        func validate() throws {
            try Moments.check(at, "--at")
            try Moments.check(keepUntil, "--keep-until", isFuture: true)
            guard (file == nil) != (store == nil) else {
                throw ValidationError("name either the copy's file, or --store with --at")
            }
            guard store == nil || at != nil else { throw ValidationError("--store needs --at") }
        }

        func run() {
            reporting {
                let opened = try home.open()
                let moment = at.flatMap(Moments.parse) ?? .now
                let until = keepUntil.flatMap(Moments.parse)
                let copy =
                    if let file {
                        try ForeignCopies.register(
                            opened, file: HomeLayout.absolute(file), at: moment, keepUntil: until)
                    } else {
                        try ForeignCopies.register(opened, snapshotOf: store ?? "", at: moment, keepUntil: until)
                    }
                Output.print("\(copy.kind) copy \(copy.identity) is registered\n")
                return .done
            }
        }
    }

    /// `keyroll backup list`
    struct ListThem: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "The copies keyroll knows of.")
        @OptionGroup var home: HomeOptions

        func run() {
            reporting {
                for copy in try home.open().keeper.keyring.ring.copies {
                    let secrets = copy.secrets.map { counts in
                        counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
                    }
                    Output.print(
                        "\(copy.identity)\t\(copy.kind)\t\(Output.shown(copy.place))\tof \(copy.at)\t\(copy.keepUntil.map { "kept until \($0)" } ?? "kept for ever")\tsecrets by generation \(secrets ?? "not known")\(copy.hasRootKey ? "\twith the root key" : "")\n"
                    )
                }
                return .done
            }
        }
    }

    /// `keyroll backup forget`
    struct Forget: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a copy that is gone; the copy itself is not touched.")
        @OptionGroup var home: HomeOptions
        @Argument(help: "Its identity, as keyroll backup list shows it.") var identity: String

        func run() {
            reporting {
                let opened = try home.open()
                guard
                    let copy = opened.keeper.keyring.ring.copies.first(where: { $0.identity.description == identity })
                else {
                    throw KeyManagementError(
                        .noSuchCopy, "no copy '\(identity)' is registered; see: keyroll backup list")
                }
                try opened.keeper.update { try $0.forget(copy.identity) }
                Output.print("forgot \(copy.identity) at \(Output.shown(copy.place))\n")
                return .done
            }
        }
    }
}

/// `keyroll restore`
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a home from a backup, in a folder that is empty or does not exist yet.")
    @OptionGroup var home: HomeOptions
    @Argument(help: "The backup's folder.", completion: .directory) var backup: String
    @Option(help: "The root key's file, where the backup holds none.", completion: .file()) var rootKey: String?

    func run() {
        reporting {
            try HomeBackup.restore(
                HomeLayout(HomeLayout.absolute(backup)), to: home.layout, rootKey: rootKey, ask: home.ask())
            Output.print("made \(home.layout.path) from \(backup)\n")
            return .done
        }
    }
}

/// Moments as people type them.
enum Moments {
    /// RFC 3339 in UTC, or a day, whose end is meant.
    static func parse(_ text: String) -> Timestamp? { Timestamp(text) ?? Timestamp(text + "T23:59:59Z") }

    static func check(_ text: String?, _ option: String, isFuture: Bool = false) throws {
        guard let text else { return }
        guard let moment = parse(text) else {
            throw ValidationError(
                "\(option) has to be a day such as 2027-11-24, or a time such as 2027-11-24T03:00:00Z")
        }
        guard !isFuture || moment > .now else { throw ValidationError("\(option) is in the past") }
    }
}
