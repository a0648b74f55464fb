import Home
import SecretStores

/// A job that workers share, in one store: how far it is, and who works on it.
public struct FleetStatus: Sendable, Encodable {
    /// One worker.
    public struct Worker: Sendable, Encodable {
        /// The machine's name.
        public var host: String
        /// The process.
        public var pid: Int32
        /// Secrets that it has handled.
        public var handled: Int64
        /// Its rate from its beginning to its last commit.
        public var secretsPerSecond: Int
        /// Seconds since its last commit.
        public var silentSeconds: Int
    }

    /// The job.
    public var job: String
    /// The store.
    public var store: String
    /// Its ranges.
    public var ranges: Int
    /// Those whose end was reached.
    public var done: Int
    /// Those that a worker holds.
    public var held: Int
    /// Who works on it, or did.
    public var workers: [Worker]
    /// The time left at the rate of those who were heard of lately; nil where nobody was.
    public var secondsLeft: Int?

    /// A worker that committed nothing for so long counts for nothing.
    private static let silence = 10.0

    /// Jobs that are open now, one for each store that has one.
    static func open(_ home: Home) throws -> [FleetStatus] {
        try home.namedStores.compactMap { name, store in
            guard let shared = store as? any FleetStore, let job = try shared.openFleetJob() else { return nil }
            return FleetStatus(job, store: name, left: try home.movable(store))
        }
    }

    private init(_ job: FleetJob, store: String, left: Int64) {
        self.job = job.record.job
        self.store = store
        ranges = job.ranges.count
        done = job.ranges.filter(\.isDone).count
        held = job.ranges.filter(\.isHeld).count
        workers = job.workers.map {
            Worker(
                host: $0.host, pid: $0.process, handled: $0.handled, secretsPerSecond: Int($0.rate.rounded()),
                silentSeconds: Int($0.silentFor))
        }
        let rate = job.workers.filter { $0.silentFor < Self.silence }.reduce(0) { $0 + $1.rate }
        secondsLeft = rate > 0 ? Int((Double(left) / rate).rounded(.up)) : nil
    }

    /// Lines for people.
    var lines: [String] {
        let time = secondsLeft.map { ", about \($0) s left" } ?? ", nobody works on it; run: keyroll work --job \(job)"
        return ["job \(job) in store '\(store)': \(done) of \(ranges) ranges done, \(held) held\(time)"]
            + workers.map {
                "  worker \($0.host), process \($0.pid): \($0.handled) secrets, \($0.secretsPerSecond) a second, last commit \($0.silentSeconds) s ago"
            }
    }
}
