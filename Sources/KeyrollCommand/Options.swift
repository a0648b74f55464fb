import ArgumentParser
import BrokerWire
import Cryptography
import Glibc
import Home
import Keyroll
import Logging
import Rotation
import Synchronization

/// Which home, and how its root key is had.
struct HomeOptions: ParsableArguments {
    @Option(help: "The home's folder (else KEYROLL_HOME, else the usual place).", completion: .directory)
    var home: String?

    @Option(name: .customLong("passphrase-fd"), help: "Read the root key's passphrase from this descriptor.")
    var passphraseDescriptor: Int32?

    @Option(
        help: "Ask the broker at this socket, or none (else KEYROLL_BROKER, else the usual place).", completion: .file()
    )
    var broker: String?

    var layout: HomeLayout { HomeLayout.locate(option: home) }

    /// The broker to ask, where there is one. Who names a home means that home.
    var brokerSocket: String? { BrokerAddress.find(option: broker, hasHome: home != nil) }

    /// The group, through a broker or by itself.
    func group() throws -> KeyGroup {
        if let brokerSocket { return KeyGroup(broker: brokerSocket) }
        return KeyGroup(try open())
    }

    func validate() throws {
        guard home == nil || broker == nil || broker == "none" else {
            throw ValidationError("give either --home or --broker: a broker has a home of its own")
        }
    }

    func ask(isNew: Bool = false) -> Home.Ask {
        let passphrase = Passphrase(descriptor: passphraseDescriptor, isNew: isNew)
        return { try passphrase.ask() }
    }

    /// Asks once, and gives the same answer again.
    func askOnce() -> Home.Ask {
        let passphrase = Passphrase(descriptor: passphraseDescriptor, isNew: false)
        let kept = Mutex<RecipientEnvelope.SharedKey?>(nil)
        return {
            let answer = try kept.withLock { kept in
                if let kept { return kept }
                let asked = RecipientEnvelope.SharedKey(try passphrase.ask())
                kept = asked
                return asked
            }
            return try SecureBytes(count: answer.bytes.count) { output in
                answer.bytes.withUnsafeBytes { output.copyMemory(from: $0) }
            }
        }
    }

    func open() throws -> Home { try Home.open(layout, ask: ask()) }

    /// The same, and says which stores cannot be reached: for what is done without them.
    func openNaming() throws -> Home {
        let home = try open()
        for store in home.unreachable { Output.note("note: \(store.line)") }
        return home
    }
}

/// How a run goes about it.
struct RunArguments: ParsableArguments {
    @Option(help: "Crypto workers (else one a core).")
    var workers: Int?

    @Option(help: "Secrets a second at most.")
    var maxRate: Int?

    @Flag(help: "The real pipeline with the writes thrown away.")
    var dryRun = false

    @Flag(help: "One JSON object on standard output and nothing else.")
    var json = false

    @Flag(help: "Log each step on standard error.")
    var verbose = false

    @Flag(help: "Nothing but errors: no progress, no summary, no notes.")
    var quiet = false

    @Option(
        help: "Write metrics for Prometheus (node_exporter's textfile collector) to this file, such as …/keyroll.prom.")
    var metricsFile: String?

    func validate() throws {
        if let workers, !(1...64).contains(workers) { throw ValidationError("--workers has to be 1 to 64") }
        Self.log(verbose ? .info : .warning)
        if verbose, quiet { throw ValidationError("give either --verbose or --quiet") }
        if let metricsFile { try MetricsFile.check(metricsFile) }
        if let maxRate, maxRate < 1 { throw ValidationError("--max-rate has to be 1 or more") }
    }

    /// The library logs through swift-log; the command sends that to standard error.
    static func log(_ level: Logger.Level) {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }

    var options: RunOptions {
        RunOptions(workers: workers ?? Self.cores, maximumRate: maxRate, isDryRun: dryRun)
    }

    /// How the job shows itself.
    var output: JobOutput { JobOutput(isJSON: json, isQuiet: quiet, metrics: metricsFile.map(MetricsFile.init)) }

    static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
