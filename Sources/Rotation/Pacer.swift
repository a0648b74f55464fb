import Glibc

/// Holds a run to a number of secrets a second.
struct Pacer {
    private let rate: Int?
    private let start = Pacer.now()
    private var passed = 0

    init(_ rate: Int?) { self.rate = rate }

    /// Waits until `count` more are due, or somebody asks for an end.
    mutating func pass(_ count: Int, _ control: RunControl) {
        guard let rate, rate > 0 else { return }
        passed += count
        let due = start + Double(passed) / Double(rate)
        while !control.isStopping {
            let left = due - Self.now()
            guard left > 0 else { return }
            usleep(UInt32(min(left, 0.1) * 1_000_000))
        }
    }

    /// Seconds of the monotonic clock.
    static func now() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
}
