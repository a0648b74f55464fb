import Dispatch
import Glibc
import Rotation

/// Shows how far a run is, and passes signals on to it.
///
/// On a terminal one line with a bar, rate and time left; elsewhere a line every five seconds. SIGINT and SIGTERM end
/// the run after the batch in work, SIGUSR1 prints a line at once.
final class Progress: @unchecked Sendable {
    // @unchecked: what changes is touched on `queue` alone.
    private let control: RunControl
    private let queue = DispatchQueue(label: "keyroll.progress")
    // A broker's worker writes for the terminal of whoever asked, whose width it was told.
    private let columnsTold = getenv("KEYROLL_COLUMNS").flatMap { Int(String(cString: $0)) }
    private let isTerminal: Bool
    private let isQuiet: Bool
    private var timer: (any DispatchSourceTimer)?
    private var signals: [any DispatchSourceSignal] = []
    private let start = Progress.now()
    private var hasBar = false

    init(_ control: RunControl, isQuiet: Bool) {
        self.control = control
        self.isQuiet = isQuiet
        isTerminal = columnsTold != nil || isatty(2) == 1
    }

    /// Runs `body` while progress is shown.
    static func during<R>(_ control: RunControl, isQuiet: Bool = false, _ body: () throws -> R) rethrows -> R {
        let progress = Progress(control, isQuiet: isQuiet)
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
            guard !isQuiet, control.handled > 0 else { return }
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

    private func line() -> String {
        let handled = control.handled
        let rate = Double(handled - control.handledBefore) / max(0.001, Progress.now() - start)
        var text = "\(control.stage): \(handled)"
        if control.total > 0 { text += " of \(control.total) (\(min(100, handled * 100 / control.total)) %)" }
        text += ", \(Progress.short(rate)) a second"
        if control.total > handled, rate > 0 {
            text += ", \(Progress.time(Double(control.total - handled) / rate)) left"
        }
        return text
    }

    private func bar() -> String {
        var size = winsize()
        let columns =
            columnsTold ?? (ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80)
        let text = line()
        let room = columns - text.count - 4
        guard room >= 10, control.total > 0 else { return String(text.prefix(max(1, columns - 1))) }
        let width = min(40, room)
        let filled = min(width, control.handled * width / control.total)
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "] " + text
    }

    /// A number with a unit: 950, 12.3k, 4.56M.
    static func short(_ value: Double) -> String {
        func rounded(_ value: Double) -> String {
            let hundredths = Int((value * 100).rounded())
            return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
        }
        if value >= 1e6 { return rounded(value / 1e6) + "M" }
        if value >= 1e4 { return rounded(value / 1e3) + "k" }
        return "\(Int(value.rounded()))"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        if whole < 60 { return "\(whole) s" }
        return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    private static func now() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
}
