import Glibc

/// What one thing measured, once a round.
struct Samples: Encodable {
    var values: [Double] = []

    var median: Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
    var minimum: Double { values.min() ?? .nan }
    var maximum: Double { values.max() ?? .nan }

    /// Divides round by round: both were measured a moment apart, so that what slows a whole round cancels out.
    static func / (left: Samples, right: Samples) -> Samples {
        Samples(values: zip(left.values, right.values).map { $0 / $1 })
    }

    private enum CodingKeys: String, CodingKey { case median, minimum, maximum, values }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(median, forKey: .median)
        try container.encode(minimum, forKey: .minimum)
        try container.encode(maximum, forKey: .maximum)
        try container.encode(values, forKey: .values)
    }
}

/// Seconds of the monotonic clock.
enum Stopwatch {
    static func now() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }

    /// How long something takes.
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = now()
        try body()
        return now() - start
    }

    /// How many a second: repeats `body`, which says how many it did, for about a third of a second.
    static func rate(_ body: () throws -> Int) rethrows -> Double {
        let start = now()
        var done = 0
        while true {
            done += try body()
            let elapsed = now() - start
            if elapsed > 0.3 { return Double(done) / elapsed }
        }
    }
}
