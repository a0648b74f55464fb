public import Cryptography
public import Files

/// Where secrets are kept: names, contexts and contents, and apart from them the pages of wrapped data keys.
///
/// A store knows no keys and never sees a plaintext. A new kind is a folder beside `SQLite/` and a line where
/// kinds are listed; one conformance suite runs against every kind.
public protocol SecretStore: Sendable {
    /// A name for messages: a path, a server.
    var place: String { get }
    /// The group whose secrets these are.
    var group: Identity { get }
    /// Slots a page, a constant of the store.
    var slotsPerPage: Int { get }

    /// The fence, and every generation that the store has seen.
    func marks() throws -> StoreMarks
    /// Secrets by generation, from the counters that every change keeps.
    func census() throws -> Census
    /// Secrets by generation, counted slot by slot in one snapshot.
    func recount() throws -> Census
    /// Counts slot by slot inside a write transaction, and writes the counters anew where they were wrong: somebody
    /// altered slots from outside.
    ///
    /// - Returns: whether they were wrong.
    func correctCensus() throws -> Bool
    /// Counts a generation's slots one by one, and those of them that are quarantined, in one snapshot.
    func slots(of generation: UInt32) throws -> SlotCount
    /// One full commit on the same database: what earlier transactions committed is on the disk afterwards.
    func barrier() throws
    /// The same store through connections of its own, which have seen nothing yet.
    func reopened() throws -> any SecretStore
    /// Copies the store as it is at one instant, while others go on writing, into a file that must not exist yet; the
    /// copy is synced.
    func copy(to path: String) throws
    /// How much room a job takes for a time on a disk of this machine, beside what the store takes already.
    ///
    /// - Returns: nil where the store's disk is another machine's.
    func roomNeeded(toRewrite rewrite: Rewrite) throws -> RoomNeed?
    /// Raises the fence durably, and notes the generation. A fence never falls: a lower mark changes nothing.
    func raiseFence(to mark: GenerationMark) throws

    /// Adds or replaces secrets durably, all or none.
    ///
    /// - Parameters:
    ///   - secrets: what to write, all under `mark`.
    ///   - mark: the generation that protects them; checked against the fence inside the transaction.
    ///   - resolve: asked inside the transaction where a name is taken, with the secret's index; asked again where a store
    ///     has to begin its transaction anew.
    /// - Throws: ``StoreError`` with `fenced` where the generation is no longer the active one.
    func write(
        _ secrets: UnsafeBufferPointer<PendingSecret>, under mark: GenerationMark,
        resolve: (Int, StoredSecret) throws -> ConflictDecision
    ) throws -> WriteTally

    /// Writes secrets as they are, whatever generation wraps them, into a store that nobody protects in yet (its fence
    /// stands at 0); all or none, durable. Marks are noted; the fence is raised by the caller when all is there.
    ///
    /// - Parameters:
    ///   - secrets: what to write, each with the slot and the birth generation that it had elsewhere.
    ///   - marks: what the store they come from has seen; its fence does not count.
    /// - Throws: ``StoreError`` with `notAccepted` where the fence is not 0, `exists` where a name is taken,
    ///   `foreignGenerations` where a generation is known here under another identity.
    func adopt(_ secrets: UnsafeBufferPointer<PendingSecret>, marks: StoreMarks) throws

    /// The secret of a name, slot and content from one snapshot.
    func secret(named name: [UInt8]) throws -> StoredSecret?
    /// Deletes a secret and clears its slot, durably.
    ///
    /// - Returns: false where there is none of that name.
    func remove(named name: [UInt8]) throws -> Bool
    /// Gives a secret another name; since the name is authenticated, its content is written anew.
    ///
    /// - Parameters:
    ///   - old: the present name.
    ///   - new: the other one.
    ///   - mark: the generation that protects the new content.
    ///   - renew: called inside the transaction with what is stored; hands the new version to its second argument.
    /// - Throws: ``StoreError`` with `noSuchSecret`, `exists` or `fenced`.
    func rename(
        _ old: [UInt8], to new: [UInt8], under mark: GenerationMark,
        renew: (StoredSecret, (PendingSecret) throws -> Void) throws -> Void
    ) throws
    /// A part of the listing in the order of the names' bytes.
    func list(after name: [UInt8]?, prefix: [UInt8], limit: Int) throws -> [SecretSummary]

    /// A reader of key pages; it belongs to one thread.
    func pageReader() throws -> any PageReader
    /// A committer of key pages; it belongs to one thread.
    func pageCommitter() throws -> any PageCommitter
    /// A reader of contents with their slots; it belongs to one thread.
    func contentReader() throws -> any ContentReader
    /// A committer of contents with their slots; it belongs to one thread.
    func contentCommitter() throws -> any ContentCommitter

    /// The journal of the newest job that is not finished.
    func openJournal() throws -> JournalRecord?
    /// The journal of the newest finished job.
    func newestJournal() throws -> JournalRecord?
    /// Writes a journal durably, outside a batch.
    func write(_ journal: JournalRecord) throws
    /// Ends a job: durably, and only if `mayFinish` says so of the counts in the closing transaction.
    ///
    /// This is also the barrier: what earlier batches committed without a sync is on the disk afterwards.
    func finish(_ journal: JournalRecord, mayFinish: (Census) throws -> Void) throws

    /// Secrets that runs could not move, those that nobody accepted first; at most `limit`.
    func quarantine(limit: Int) throws -> [QuarantineEntry]
    /// How many of them nobody accepted.
    func openQuarantineCount() throws -> Int64
    /// How many there are of each generation.
    func quarantineByGeneration() throws -> [UInt32: QuarantineCount]
    /// The entry of one secret.
    func quarantined(_ name: String) throws -> QuarantineEntry?
    /// How many secrets of generations other than `generation` are on that list.
    func quarantineCount(except generation: UInt32) throws -> Int64
    /// Marks one as accepted for lost.
    ///
    /// - Returns: false where it is not on the list.
    func acceptQuarantined(_ name: String, reason: String) throws -> Bool
    /// Empties the list of those not accepted, so that the next run looks at all of them again.
    func clearQuarantine() throws
    /// Takes the open entries of one generation off that list: its key is there again.
    func clearQuarantine(of generation: UInt32) throws
    /// The name of the secret whose slot lies there.
    func name(at place: SlotPlace) throws -> String?
    /// Looks for rows that contradict each other; gives a line for each fault, at most `limit`.
    func inspect(limit: Int) throws -> [String]
}

extension SecretStore {
    /// All secrets that runs could not move.
    public func quarantine() throws -> [QuarantineEntry] { try quarantine(limit: .max) }
}

/// Reads key pages in the order of their numbers, one short read transaction a batch.
public protocol PageReader: AnyObject {
    /// Fills the batch with the pages above `page`; it stays empty at the end.
    func read(into batch: PageBatch, after page: Int64) throws
    /// The number of pages now, for progress.
    func pageCount() throws -> Int64
}

/// Reads contents with their slots in the order of key pages, one snapshot a batch.
public protocol ContentReader: AnyObject {
    /// Fills the batch with what lies above the position it keeps.
    ///
    /// - Parameters:
    ///   - batch: is added to. An outsized body goes alone, and only if it is not longer than ``ContentBatch/grant``;
    ///     otherwise the batch ends in front of it and ``ContentBatch/wanted`` says so.
    ///   - selection: which secrets; of the others only ``ContentBatch/passedOver`` counts how many there were, and
    ///     their contents are not read.
    /// - Returns: false at the end, when there was nothing more.
    func read(into batch: ContentBatch, selecting selection: ContentSelection) throws -> Bool
    /// Whether any content there is may be selected, as far as births tell: neither slots nor contents are read.
    func hasAny(_ selection: ContentSelection) throws -> Bool
    /// Goes on where an earlier reader had come to, as a resumed run does.
    func skip(to position: Int64)
}

extension ContentReader {
    /// Fills the batch with what lies above the position it keeps, whatever it is.
    @discardableResult
    public func read(into batch: ContentBatch) throws -> Bool { try read(into: batch, selecting: .all) }
}

/// Which contents a run is about.
public struct ContentSelection: Sendable, Equatable {
    /// The generations that were compromised, or nil for all contents.
    public var compromised: [UInt32]?

    /// All contents.
    public static let all = ContentSelection(compromised: nil)

    /// - Parameter compromised: generation numbers, or nil for all contents.
    public init(compromised: [UInt32]?) { self.compromised = compromised }

    /// No content born under a later generation is selected.
    public var latestBirth: UInt32 { compromised.map { $0.max() ?? 0 } ?? .max }

    /// Whether a compromised generation may have exposed the data key of a secret: it was wrapped under every
    /// generation that was active from its birth to the one that wraps it now, so each of them in between counts,
    /// also when it was rewrapped to a later one long ago.
    @inline(__always)
    public func contains(birth: UInt32, generation: UInt32) -> Bool {
        guard let compromised else { return true }
        return compromised.contains { birth <= $0 && $0 <= generation }
    }
}

/// Writes contents back under new data keys: compare-and-swap by slot, one durable transaction a batch.
public protocol ContentCommitter: AnyObject {
    /// Replaces contents and slots whose slot is still what was read, keeps the counts, quarantines failures, and
    /// writes the journal, all in one transaction.
    ///
    /// - Parameters: as of ``PageCommitter/commit(_:to:job:journal:)``.
    /// - Throws: ``StoreError`` with `fenced`; nothing of the batch is then written.
    func commit(
        _ batch: ContentBatch, to mark: GenerationMark, job: String,
        journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally
}

/// What a batch's commit did.
public struct CommitTally: Sendable, Equatable {
    /// Slots replaced.
    public var moved = 0
    /// Slots that somebody changed between read and commit; they were left as they are.
    public var superseded = 0
    /// Slots that could not be moved and are still what was read; they are quarantined.
    public var failed = FailureCounts()

    /// Nothing yet.
    public init() {}
}

/// Writes key pages back: compare-and-swap by slot, one transaction a batch.
public protocol PageCommitter: AnyObject {
    /// Replaces the slots that are still what was read, keeps the counts, quarantines failures, and writes the
    /// journal, all in one transaction.
    ///
    /// - Parameters:
    ///   - batch: what a transform filled.
    ///   - mark: the generation the slots move to; the fence has to stand exactly there.
    ///   - job: the job's identity, for the quarantine.
    ///   - journal: makes the journal from what the commit did; called inside the transaction, and again where a store has
    ///     to begin its transaction anew: only the last call counts.
    /// - Throws: ``StoreError`` with `fenced`; nothing of the batch is then written.
    func commit(
        _ batch: PageBatch, to mark: GenerationMark, job: String,
        journal: (CommitTally) throws -> JournalRecord
    ) throws -> CommitTally
}
