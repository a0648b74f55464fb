/// A part of a fleet's job that one worker holds for a time.
public struct RangeClaim: Sendable, Equatable {
    /// The job.
    public var job: String
    /// The part's number, from 1.
    public var number: Int64
    /// How often it was claimed; who holds an earlier claim has lost it.
    public var attempt: Int64
    /// The first page.
    public var firstPage: Int64
    /// The last page.
    public var lastPage: Int64
    /// How long a claim holds without being renewed, in seconds; each batch's transaction renews it.
    public var lease: Int64
    /// What an earlier worker has written of it.
    public var journal: JournalRecord?

    /// - Parameters: as the properties.
    public init(
        job: String, number: Int64, attempt: Int64, firstPage: Int64, lastPage: Int64, lease: Int64,
        journal: JournalRecord?
    ) {
        self.job = job
        self.number = number
        self.attempt = attempt
        self.firstPage = firstPage
        self.lastPage = lastPage
        self.lease = lease
        self.journal = journal
    }
}
