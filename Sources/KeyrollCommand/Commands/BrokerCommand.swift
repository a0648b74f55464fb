import Access
import ArgumentParser
import Broker
import BrokerWire
import Cryptography
import Dispatch
import Glibc
import Home
import KeyManagement

/// `keyroll broker`
struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "The service that alone has the keys: others ask it over a Unix socket.",
        discussion: """
            Knows who asks by the kernel, decides by the signed policy (keyroll access policy), logs every request, and \
            runs jobs in workers of its own. Takes its socket from systemd where that hands one over. SIGTERM ends it \
            once what is being served is done.
            """)
    @OptionGroup var home: HomeOptions
    @Option(help: "The socket (else /run/keyroll/broker.sock, or in XDG_RUNTIME_DIR).", completion: .file()) var socket:
        String?
    @Option(help: "Requests a second that a user may make.") var maxRate = 100_000
    @Option(help: "Connections at once.") var maxConnections = 16_384
    // For tests.
    @Option(help: .hidden) var patience = 10

    func validate() throws {
        guard (1...10_000_000).contains(maxRate) else { throw ValidationError("--max-rate has to be 1 or more") }
        guard (1...1_000_000).contains(maxConnections) else {
            throw ValidationError("--max-connections has to be 1 to 1000000")
        }
        guard (1...600).contains(patience) else { throw ValidationError("--patience has to be 1 to 600") }
    }

    func run() {
        reporting {
            signal(SIGPIPE, SIG_IGN)
            let ask = home.askOnce()
            let layout = home.layout
            let opened = try Home.open(layout, ask: ask)
            for store in opened.unreachable { Output.note("note: \(store.line)") }
            var options = BrokerOptions(socket: socket ?? BrokerAddress.forServing)
            options.rate = Double(maxRate)
            options.connections = maxConnections
            options.patience = Double(patience)
            options.connectionsOfUser = max(1, maxConnections * 3 / 4)
            let checkpointEvery = try opened.accessPolicy()?.checkpointEvery ?? 1000
            let keeper = opened.keeper
            let broker = try Broker(
                opened, reopen: { try Home.open(layout, ask: ask) },
                passphrase: opened.configuration.rootKey == .passphrase ? ask : nil, options: options,
                log: opened.auditLog(checkpointEvery: checkpointEvery),
                seal: { try keeper.accessTag($0) }, exit: { Exit.code($0).rawValue })
            let signals = [SIGTERM, SIGINT].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { broker.stop() }
                source.activate()
                return source
            }
            defer { for source in signals { source.cancel() } }
            Output.note("keyroll: broker of group \(opened.configuration.group) at \(options.socket)")
            try broker.run { Output.error($0) }
            return .done
        }
    }
}
