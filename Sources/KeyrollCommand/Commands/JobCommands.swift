import ArgumentParser
import Files
import Home
import Jobs
import Rotation
import SecretStores

/// `keyroll rotate`
struct Rotate: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        abstract: "The scheduled job: roll if that is due, rewrap, retire, archive, rehearse.",
        discussion: "Cut off at any point, the next run goes on. With nothing to do it answers at once.")
    @OptionGroup var home: HomeOptions
    @OptionGroup var arguments: RunArguments
    @Flag(help: "Roll although nothing is due.") var force = false
    @Flag(help: "Share the work with keyroll work in other processes, in stores that can (postgres).") var fleet = false
    @Flag(help: "With --fleet: only plan, print the job's name, and leave the work to keyroll work.") var detach = false
    @Option(help: "With --fleet: how long a claim holds without a commit, such as 30s.") var lease = "30s"

    func validate() throws {
        guard fleet || !detach else { throw ValidationError("--detach belongs to --fleet") }
        guard !fleet || !arguments.dryRun else {
            throw ValidationError("--fleet plans a real job; it has no --dry-run")
        }
        _ = try Lease.seconds(lease)
    }

    func run() {
        reporting {
            let options = fleet ? FleetOptions(isDetached: detach, lease: try Lease.seconds(lease)) : nil
            return try JobRunner.rotate(
                home.open(), isForced: force, fleet: options, options: arguments.options, output: arguments.output)
        }
    }
}

/// `keyroll work`
struct Work: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        abstract: "A worker of a job that a fleet shares: keyroll work --job ID, any number, on any host.",
        discussion: """
            Claims ranges of the job until none is left. SIGTERM ends it after the batch in work and gives its range \
            back (exit code 75). The range of a worker that dies is taken over once its lease has lapsed. Whoever finds \
            that nothing is left ends the job.
            """)
    @OptionGroup var home: HomeOptions
    @OptionGroup var arguments: RunArguments
    @Option(help: "The job, as keyroll rotate --fleet names it.") var job: String
    @Option(help: "How long a claim holds without a commit, such as 30s.") var lease = "30s"

    func validate() throws {
        _ = try Lease.seconds(lease)
        guard !arguments.dryRun else { throw ValidationError("a worker has no --dry-run") }
    }

    func run() {
        reporting {
            try JobRunner.work(
                home.open(), job: job, lease: Lease.seconds(lease), options: arguments.options, output: arguments.output
            )
        }
    }
}

/// `--lease`
enum Lease {
    static func seconds(_ text: String) throws -> Int64 {
        guard let seconds = PolicyDuration.parse(text), (2...86400).contains(seconds) else {
            throw ValidationError("--lease has to be a duration from 2s to 1d, such as 30s")
        }
        return seconds
    }
}

/// `keyroll reencrypt`
struct Reencrypt: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        abstract: "The job after a compromise: a new generation, and new data keys for what was exposed.",
        discussion: """
            Marks exactly the generations named, and encrypts anew every secret whose data key one of them may have \
            wrapped at any time: birth generation <= N <= present generation.
            """)
    @OptionGroup var home: HomeOptions
    @OptionGroup var arguments: RunArguments
    @Option(help: "The compromised generations, such as 3 or 2,3.") var compromised: String
    @Option(help: "When it happened, as far as is known (RFC 3339, such as 2026-11-20T12:00:00Z).")
    var occurred: String?
    @Option(help: "Why, for the history.", transform: Reason.check) var reason = "reported as compromised"

    func validate() throws {
        guard JobFile.numbers(compromised) != nil else {
            throw ValidationError("--compromised lists generation numbers, such as 3 or 2,3")
        }
        if let occurred, Timestamp(occurred) == nil {
            throw ValidationError("--occurred has to be a time such as 2026-11-20T12:00:00Z")
        }
    }

    func run() {
        reporting {
            try JobRunner.reencrypt(
                home.open(), compromised: JobFile.numbers(compromised) ?? [],
                occurred: occurred.flatMap { Timestamp($0) },
                reason: reason, options: arguments.options, output: arguments.output)
        }
    }
}

/// `keyroll verify`
struct Verify: ParsableCommand, Brokered {
    static let configuration = CommandConfiguration(
        abstract: "Unprotect every secret and throw the plaintext away.")
    @OptionGroup var home: HomeOptions
    @OptionGroup var arguments: RunArguments

    func run() {
        reporting { try JobRunner.verify(home.open(), options: arguments.options, output: arguments.output) }
    }
}

/// `keyroll run`
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the job that a file describes (see jobs/).")
    @OptionGroup var home: HomeOptions
    @OptionGroup var arguments: RunArguments
    @Argument(help: "The job file.", completion: .file()) var file: String

    func run() {
        reporting {
            let job = try JobFile(path: file)
            var home = home
            home.home = home.home ?? job.home
            var options = arguments.options
            options.workers = arguments.workers ?? job.workers ?? RunArguments.cores
            options.maximumRate = arguments.maxRate ?? job.maximumRate
            return switch job.kind {
            case .rotate:
                try JobRunner.rotate(home.open(), isForced: job.isForced, options: options, output: arguments.output)
            case .reencrypt:
                try JobRunner.reencrypt(
                    home.open(), compromised: job.compromised, occurred: nil, reason: job.reason, options: options,
                    output: arguments.output)
            case .verify: try JobRunner.verify(home.open(), options: options, output: arguments.output)
            case .restore:
                try Restorer.run(
                    home, RecoveryFiles(key: job.key), bundle: job.bundle, generation: job.generation ?? 0,
                    seconds: job.duration ?? 0, reason: job.reason, stores: [])
            }
        }
    }
}
