/// How a run came along: how many secrets it had handled at which second, in as much memory for a day as for a second.
///
/// Pure. When it is full every second point goes, and the next ones come half as often.
public struct RunCourse: Sendable, Equatable {
    /// One point.
    public struct Point: Sendable, Equatable, Codable {
        /// Seconds since the run began.
        public var seconds: Double
        /// Secrets handled until then.
        public var handled: Int

        /// - Parameters:
        ///   - seconds: seconds since the run began.
        ///   - handled: secrets handled until then.
        public init(seconds: Double, handled: Int) {
            self.seconds = seconds
            self.handled = handled
        }
    }

    /// So many points are kept at most, and the last one.
    public static let limit = 96

    private var kept: [Point] = []
    private var interval = 0.02
    private var last: Point?

    /// None yet.
    public init() {}

    /// The points, the last one included.
    public var points: [Point] {
        guard let last, kept.last != last else { return kept }
        return kept + [last]
    }

    /// Notes that `count` more were handled.
    public mutating func add(_ count: Int, at seconds: Double) { note((last?.handled ?? 0) + count, at: seconds) }

    /// Notes how many were handled in all.
    public mutating func note(_ handled: Int, at seconds: Double) {
        let point = Point(seconds: seconds, handled: handled)
        last = point
        guard seconds >= (kept.last?.seconds ?? -.infinity) + interval else { return }
        kept.append(point)
        guard kept.count >= Self.limit else { return }
        kept = kept.indices.filter { $0 % 2 == 1 }.map { kept[$0] }
        interval *= 2
    }
}
