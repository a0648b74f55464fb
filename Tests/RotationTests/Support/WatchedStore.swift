import Cryptography
import Files
import SecretStores
import Synchronization

/// A store that tells a test what a run does with its pages, and fails where the test wants it to.
final class WatchedStore: SecretStore {
    /// What a test does, and when. Numbers count from 1.
    struct Hooks: Sendable {
        /// Pages a batch, so that few secrets make many batches.
        var pages = 256
        /// Before a batch is read.
        var onRead: @Sendable (Int) throws -> Void = { _ in }
        /// Before a batch is committed.
        var onCommit: @Sendable (Int) throws -> Void = { _ in }
        /// After a batch was committed.
        var afterCommit: @Sendable (Int) -> Void = { _ in }
        /// When reader and committer are made.
        var onMakingReader: @Sendable () throws -> Void = {}
        var onMakingCommitter: @Sendable () throws -> Void = {}
    }

    private let inner: any SecretStore
    private let hooks: Hooks
    private let reads = Atomic(0)
    private let commits = Atomic(0)

    init(_ inner: any SecretStore, _ hooks: Hooks) {
        self.inner = inner
        self.hooks = hooks
    }

    /// How many batches were committed.
    var commitCount: Int { commits.load(ordering: .relaxed) }

    func pageReader() throws -> any PageReader {
        try hooks.onMakingReader()
        return Reader(self, try inner.pageReader())
    }

    func pageCommitter() throws -> any PageCommitter {
        try hooks.onMakingCommitter()
        return Committer(self, try inner.pageCommitter())
    }

    private final class Reader: PageReader {
        let store: WatchedStore
        let inner: any PageReader

        init(_ store: WatchedStore, _ inner: any PageReader) { (self.store, self.inner) = (store, inner) }

        func read(into batch: PageBatch, after page: Int64) throws {
            try store.hooks.onRead(store.reads.add(1, ordering: .relaxed).newValue)
            batch.pagesWanted = min(batch.pagesWanted, store.hooks.pages)
            try inner.read(into: batch, after: page)
        }

        func pageCount() throws -> Int64 { try inner.pageCount() }
    }

    private final class Committer: PageCommitter {
        let store: WatchedStore
        let inner: any PageCommitter

        init(_ store: WatchedStore, _ inner: any PageCommitter) { (self.store, self.inner) = (store, inner) }

        func commit(
            _ batch: PageBatch, to mark: GenerationMark, job: String,
            journal: (CommitTally) throws -> JournalRecord
        ) throws -> CommitTally {
            let number = store.commits.load(ordering: .relaxed) + 1
            try store.hooks.onCommit(number)
            let tally = try inner.commit(batch, to: mark, job: job, journal: journal)
            store.commits.store(number, ordering: .relaxed)
            store.hooks.afterCommit(number)
            return tally
        }
    }
}

extension WatchedStore {
    func contentCommitter() throws -> any ContentCommitter {
        try hooks.onMakingCommitter()
        return Contents(self, try inner.contentCommitter())
    }

    private final class Contents: ContentCommitter {
        let store: WatchedStore
        let inner: any ContentCommitter

        init(_ store: WatchedStore, _ inner: any ContentCommitter) { (self.store, self.inner) = (store, inner) }

        func commit(
            _ batch: ContentBatch, to mark: GenerationMark, job: String,
            journal: (CommitTally) throws -> JournalRecord
        ) throws -> CommitTally {
            let number = store.commits.load(ordering: .relaxed) + 1
            try store.hooks.onCommit(number)
            let tally = try inner.commit(batch, to: mark, job: job, journal: journal)
            store.commits.store(number, ordering: .relaxed)
            store.hooks.afterCommit(number)
            return tally
        }
    }
}

/// All the rest is the store's own.
extension WatchedStore {
    var place: String { inner.place }
    var group: Identity { inner.group }
    var slotsPerPage: Int { inner.slotsPerPage }

    func marks() throws -> StoreMarks { try inner.marks() }
    func census() throws -> Census { try inner.census() }
    func recount() throws -> Census { try inner.recount() }
    func correctCensus() throws -> Bool { try inner.correctCensus() }
    func slots(of generation: UInt32) throws -> SlotCount { try inner.slots(of: generation) }
    func clearQuarantine(of generation: UInt32) throws { try inner.clearQuarantine(of: generation) }
    func barrier() throws { try inner.barrier() }
    func roomNeeded(toRewrite rewrite: Rewrite) throws -> RoomNeed? { try inner.roomNeeded(toRewrite: rewrite) }
    func reopened() throws -> any SecretStore { try inner.reopened() }
    func copy(to path: String) throws { try inner.copy(to: path) }
    func raiseFence(to mark: GenerationMark) throws { try inner.raiseFence(to: mark) }
    func write(
        _ secrets: UnsafeBufferPointer<PendingSecret>, under mark: GenerationMark,
        resolve: (Int, StoredSecret) throws -> ConflictDecision
    ) throws -> WriteTally { try inner.write(secrets, under: mark, resolve: resolve) }
    func adopt(_ secrets: UnsafeBufferPointer<PendingSecret>, marks: StoreMarks) throws {
        try inner.adopt(secrets, marks: marks)
    }
    func secret(named name: [UInt8]) throws -> StoredSecret? { try inner.secret(named: name) }
    func remove(named name: [UInt8]) throws -> Bool { try inner.remove(named: name) }
    func rename(
        _ old: [UInt8], to new: [UInt8], under mark: GenerationMark,
        renew: (StoredSecret, (PendingSecret) throws -> Void) throws -> Void
    ) throws { try inner.rename(old, to: new, under: mark, renew: renew) }
    func list(after name: [UInt8]?, prefix: [UInt8], limit: Int) throws -> [SecretSummary] {
        try inner.list(after: name, prefix: prefix, limit: limit)
    }
    func contentReader() throws -> any ContentReader { try inner.contentReader() }
    func openJournal() throws -> JournalRecord? { try inner.openJournal() }
    func newestJournal() throws -> JournalRecord? { try inner.newestJournal() }
    func write(_ journal: JournalRecord) throws { try inner.write(journal) }
    func finish(_ journal: JournalRecord, mayFinish: (Census) throws -> Void) throws {
        try inner.finish(journal, mayFinish: mayFinish)
    }
    func quarantine(limit: Int) throws -> [QuarantineEntry] { try inner.quarantine(limit: limit) }
    func openQuarantineCount() throws -> Int64 { try inner.openQuarantineCount() }
    func quarantineByGeneration() throws -> [UInt32: QuarantineCount] { try inner.quarantineByGeneration() }
    func quarantined(_ name: String) throws -> QuarantineEntry? { try inner.quarantined(name) }
    func quarantineCount(except generation: UInt32) throws -> Int64 {
        try inner.quarantineCount(except: generation)
    }
    func acceptQuarantined(_ name: String, reason: String) throws -> Bool {
        try inner.acceptQuarantined(name, reason: reason)
    }
    func clearQuarantine() throws { try inner.clearQuarantine() }
    func name(at place: SlotPlace) throws -> String? { try inner.name(at: place) }
    func inspect(limit: Int) throws -> [String] { try inner.inspect(limit: limit) }
}
