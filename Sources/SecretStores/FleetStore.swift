/// A store whose rotation several workers can share: it hands out ranges of key pages, and keeps what became of them.
///
/// The server is the truth about who holds what. A claim lapses when it is not renewed; each batch's transaction renews
/// it, or fails because somebody else has taken the range over.
public protocol FleetStore: SecretStore {
    /// Puts a job into the store, durably; one that is there already with the same identity stays as it is.
    ///
    /// - Parameters:
    ///   - job: its record: what its workers need to know, with a MAC over it.
    ///   - ranges: the last page of each range, ascending; the last range has no end.
    ///   - former: the open job that it takes the place of, as the caller saw it.
    /// - Returns: false where another job is open: somebody else has planned meanwhile.
    func plan(_ job: JournalRecord, ranges: [Int64], inPlaceOf former: String?) throws -> Bool
    /// The newest job that is not finished.
    func openFleetJob() throws -> FleetJob?
    /// One job.
    func fleetJob(_ job: String) throws -> FleetJob?
    /// Notes that a worker has begun.
    func enlist(_ worker: FleetWorkerName, job: String) throws
    /// Claims a range that nobody holds, or whose holder has not renewed it in time.
    ///
    /// - Parameters:
    ///   - job: the job.
    ///   - worker: who claims.
    ///   - lease: for how many seconds, if it is not renewed.
    /// - Returns: nil where there is none now.
    func claim(_ job: String, worker: FleetWorkerName, lease: Int64) throws -> RangeClaim?
    /// A committer whose transactions renew a claim and write the range's journal; ``StoreError`` with `claimLost` where
    /// somebody else has it.
    func pageCommitter(for claim: RangeClaim) throws -> any PageCommitter
    /// Ends a range, durably.
    func complete(_ claim: RangeClaim, _ journal: JournalRecord) throws
    /// Gives a range back before its end.
    func release(_ claim: RangeClaim) throws
    /// Takes, or renews, the job's lock, whose holder does what must happen once.
    ///
    /// - Returns: whether it is the worker's.
    func takeLock(of job: String, worker: FleetWorkerName, lease: Int64) throws -> Bool
    /// Ends a job.
    func endFleetJob(_ job: String) throws
}

/// Who works on a job.
public struct FleetWorkerName: Sendable, Hashable {
    /// The machine's name.
    public var host: String
    /// The process.
    public var process: Int32
    /// What tells it from another process of the same number.
    public var nonce: String

    /// - Parameters: as the properties.
    public init(host: String, process: Int32, nonce: String) {
        self.host = host
        self.process = process
        self.nonce = nonce
    }

    /// As it stands in the store.
    public var text: String { "\(host)/\(process)/\(nonce)" }
}

/// A job that workers share, as it stands in one store.
public struct FleetJob: Sendable {
    /// A part of it.
    public struct Range: Sendable {
        /// From 1.
        public var number: Int64
        /// Whether its end was reached.
        public var isDone: Bool
        /// Whether somebody holds it now.
        public var isHeld: Bool
        /// What its workers have written of it.
        public var journal: JournalRecord?
    }

    /// One of its workers.
    public struct Worker: Sendable {
        /// The machine's name.
        public var host: String
        /// The process.
        public var process: Int32
        /// Secrets that it has handled.
        public var handled: Int64
        /// Seconds from its beginning to its last commit.
        public var seconds: Double
        /// Seconds since its last commit.
        public var silentFor: Double

        /// Secrets a second.
        public var rate: Double { seconds > 0 ? Double(handled) / seconds : 0 }
    }

    /// Its record.
    public var record: JournalRecord
    /// Whether it is over.
    public var isFinished: Bool
    /// Its parts.
    public var ranges: [Range]
    /// Who works on it, or did.
    public var workers: [Worker]

    /// Whether every part's end was reached.
    public var isThrough: Bool { !ranges.isEmpty && ranges.allSatisfy(\.isDone) }
}

/// A part of a fleet's job that one worker holds for a time.
public struct RangeClaim: Sendable, Equatable {
    /// The job.
    public var job: String
    /// The part's number, from 1.
    public var number: Int64
    /// How often it was claimed; who holds an earlier claim has lost it.
    public var attempt: Int64
    /// Who holds it.
    public var worker: FleetWorkerName
    /// The last page before it.
    public var after: Int64
    /// Its last page.
    public var through: Int64
    /// For how many seconds a claim holds without being renewed.
    public var lease: Int64
    /// What an earlier worker has written of it.
    public var journal: JournalRecord?
}
