import ArgumentParser
import Cryptography

/// The command's entry: the process closes itself off and tests its ciphers before it looks at any argument.
@main
enum Main {
    static func main() {
        ProcessHardening.apply()
        Surroundings.prepare()
        do { try SelfTest.run() } catch { Exit.fail(error) }
        do {
            var command = try KeyrollCommand.parseAsRoot()
            // Where there is a broker, this process has no business with keys.
            if let brokered = command as? any Brokered, brokered.isAboutHome, let socket = brokered.home.brokerSocket {
                BrokeredRun.run(socket)
            }
            try command.run()
        } catch { KeyrollCommand.exit(withError: error) }
    }
}

/// `keyroll`
struct KeyrollCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyroll",
        abstract: "Rotates the keys under which an organisation's secrets are stored.",
        discussion: """
            Exit codes: 0 done; 3 needs attention; 64 wrong usage; 65 done, but some secrets or inputs failed; \
            66 no such secret; 69 not reachable; 70 self-test failed or a bug; 73 exists already; 74 input or output \
            error; 75 interrupted or locked; 77 not permitted; 78 unsafe or wrong configuration.
            """,
        version: "keyroll \(Version.text)",
        groupedSubcommands: [
            CommandGroup(
                name: "Secrets:",
                subcommands: [
                    Put.self, Get.self, List.self, Remove.self, Move.self, Import.self, Export.self,
                ]),
            CommandGroup(
                name: "Nightly rotation:",
                subcommands: [
                    Rotate.self, Work.self, Verify.self, Status.self, Run.self, QuarantineCommand.self,
                    ReportCommand.self, Bench.self,
                ]),
            CommandGroup(name: "After a compromise:", subcommands: [Reencrypt.self]),
            CommandGroup(
                name: "Old content, and when keys are lost:",
                subcommands: [
                    ArchiveCommand.self, BackupCommand.self, RestoreCommand.self, Recover.self,
                ]),
            CommandGroup(name: "Who did what:", subcommands: [AuditCommand.self]),
            CommandGroup(
                name: "Who may reach the keys:", subcommands: [BrokerCommand.self, AccessCommand.self]),
            CommandGroup(
                name: "The home:",
                subcommands: [
                    Init.self, StoreCommand.self, GenerationCommand.self, RootCommand.self, Explain.self,
                    DoctorCommand.self, UpgradeCommand.self,
                ]),
        ])
}
