import Broker
import BrokerWire
import Cryptography
import Dispatch
import Glibc
import Keyroll

/// A command that a broker runs for whoever may: where one is found, this process only asks and shows.
protocol Brokered {
    var home: HomeOptions { get }
    /// Whether it is about the home, and not about a file that the broker should not see.
    var isAboutHome: Bool { get }
}

extension Brokered {
    var isAboutHome: Bool { true }
}

enum BrokeredRun {
    /// Lets the broker run what stands on this process's command line, and ends with its exit code.
    static func run(_ socket: String) -> Never {
        reporting {
            let line = try BrokerLine(path: socket)
            let request = BrokerRequest.command(arguments: arguments, columns: columns)
            do { try line.send(request) } catch is BrokerLine.NotSent {
                throw BrokerError(.unreachable, "\(socket): the broker hangs up at once; it may have too many clients")
            }
            let queue = DispatchQueue(label: "keyroll.broker.signals")
            let held = Held(line)
            let sources = [SIGINT, SIGTERM].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                source.setEventHandler {
                    held.line.askToStop()
                    // Asked for a second time: this process ends, the command goes on to its end.
                    signal(number, SIG_DFL)
                }
                source.activate()
                return source
            }
            let status = try withExtendedLifetime(sources) { try follow(line, socket) }
            Glibc.exit(status)
        }
    }

    private static func follow(_ line: BrokerLine, _ socket: String) throws -> Int32 {
        while true {
            let answer = try line.receive()
            switch answer.response {
            case .output(let isError):
                answer.payload.withUnsafeBytes { bytes in
                    isError ? Output.error(bytes: bytes) : Output.bytes(bytes)
                }
            case .ended(let status): return status
            case .failed(let failure): throw failure.thrown
            case .done: throw BrokerError(.malformed, "\(socket): the broker answers something else than was asked")
            }
        }
    }

    private struct Held: @unchecked Sendable {
        // @unchecked: shutdown(2) may be called while another thread reads.
        let line: BrokerLine
        init(_ line: BrokerLine) { self.line = line }
    }

    /// Without the option that says which broker.
    private static var arguments: [String] {
        var words = CommandTable.canonical(Array(CommandLine.arguments.dropFirst()))
        while let index = words.firstIndex(of: "--broker") {
            words.removeSubrange(index..<min(index + 2, words.count))
        }
        return words
    }

    /// The terminal's width, 0 where standard error is none.
    private static var columns: Int {
        var size = winsize()
        guard isatty(2) == 1 else { return 0 }
        return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}
