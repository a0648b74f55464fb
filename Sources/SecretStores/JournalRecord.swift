/// The journal of one job in one store: what its job wrote, opaque to the store, with a MAC over it.
public struct JournalRecord: Sendable, Equatable {
    /// The job's identity.
    public var job: String
    /// What the job wrote.
    public var content: [UInt8]
    /// HMAC-SHA-256 over it.
    public var mac: [UInt8]
    /// Whether the job is finished.
    public var isFinished: Bool

    /// - Parameters:
    ///   - job: the job's identity.
    ///   - content: what the job wrote.
    ///   - mac: HMAC-SHA-256 over it.
    ///   - isFinished: whether the job is finished.
    public init(job: String, content: [UInt8], mac: [UInt8], isFinished: Bool) {
        self.job = job
        self.content = content
        self.mac = mac
        self.isFinished = isFinished
    }
}
