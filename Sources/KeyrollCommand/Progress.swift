import BrokerWire
import Dispatch
import Glibc
import Rotation

/// Shows how far a run is, and passes signals on to it.
///
/// On a terminal one line with a bar, rate, time left and the stage that the others wait for; elsewhere a line every five
/// seconds. systemd is told the same. SIGINT and SIGTERM end the run after the batch in work, SIGUSR1 prints a line at
/// once.
final class Progress: @unchecked Sendable {
    // @unchecked: what changes is touched on `queue` alone.
    private let control: RunControl
    private let queue = DispatchQueue(label: "keyroll.progress")
    // A broker's worker writes for the terminal of whoever asked, whose width it was told.
    private let columnsTold = getenv("KEYROLL_COLUMNS").flatMap { Int(String(cString: $0)) }
    private let isTerminal: Bool
    private let isQuiet: Bool
    private let also: (() -> Void)?
    private var alsoNext = 10.0
    private var timer: (any DispatchSourceTimer)?
    private var signals: [any DispatchSourceSignal] = []
    private let start = Progress.now()
    private var hasBar = false

    init(_ control: RunControl, isQuiet: Bool, also: (() -> Void)? = nil) {
        self.control = control
        self.also = also
        self.isQuiet = isQuiet
        isTerminal = columnsTold != nil || isatty(2) == 1
    }

    /// Runs `body` while progress is shown.
    ///
    /// - Parameter also: done every ten seconds beside it.
    static func during<R>(
        _ control: RunControl, isQuiet: Bool = false, also: (() -> Void)? = nil, _ body: () throws -> R
    ) rethrows -> R {
        let progress = Progress(control, isQuiet: isQuiet, also: also)
        progress.begin()
        defer { progress.end() }
        return try body()
    }

    private func begin() {
        // Where processors are short, applications come first. Threads made from here on inherit it.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
        for number in [SIGINT, SIGTERM] {
            watch(number) { [self] in
                if control.isStopping {
                    // Asked for a second time: a run that waits for input has no batch to end.
                    signal(number, SIG_DFL)
                    raise(number)
                }
                control.stop()
                clear()
                Output.note("keyroll: ending after the batch in work")
            }
        }
        watch(SIGUSR1) { [self] in
            clear()
            Output.note(line())
        }
        let interval: DispatchTimeInterval = isTerminal ? .milliseconds(200) : .seconds(5)
        let made = DispatchSource.makeTimerSource(queue: queue)
        made.schedule(deadline: .now() + interval, repeating: interval)
        made.setEventHandler { [self] in
            if let also, Progress.now() - start >= alsoNext {
                alsoNext += 10
                also()
            }
            guard control.handled > 0 else { return }
            ServiceManager.tell("STATUS=" + line())
            guard !isQuiet else { return }
            if isTerminal {
                Output.write("\r\u{1B}[K" + bar())
                hasBar = true
            } else {
                Output.note(line())
            }
        }
        made.activate()
        timer = made
    }

    private func watch(_ number: Int32, _ handler: @escaping () -> Void) {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: handler)
        source.activate()
        signals.append(source)
    }

    private func end() {
        queue.sync {
            timer?.cancel()
            for source in signals { source.cancel() }
            clear()
        }
    }

    private func clear() {
        if hasBar { Output.write("\r\u{1B}[K") }
        hasBar = false
    }

    private func line() -> String { view.forms[0] }

    private func bar() -> String {
        var size = winsize()
        let columns =
            columnsTold ?? (ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80)
        return view.bar(columns: columns)
    }

    private var view: ProgressView {
        let handled = control.handled
        return ProgressView(
            stage: control.stage, handled: handled, total: control.total,
            rate: Double(handled - control.handledBefore) / max(0.001, Progress.now() - start),
            limiting: control.limiting?.rawValue)
    }

    private static func now() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
}
