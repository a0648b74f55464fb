public import KeyManagement
import Cryptography
import Envelopes
import Files
import Protection
public import SecretStores

/// Encrypts anew, under new data keys and the active generation, what compromised generations may have exposed.
///
/// The same pipeline as a rewrap, with contents in place of key pages. What was encrypted anew was born under the
/// active generation and is not selected again, so that a run that was cut off is simply run again.
public struct ReencryptRun {
    private let store: any SecretStore
    private let keeper: RingKeeper
    private let options: RunOptions
    private let control: RunControl
    private let compromised: [UInt32]

    /// - Parameters:
    ///   - store: whose contents to encrypt anew.
    ///   - keeper: the ring; its active generation is the target, and the store's fence has to stand there.
    ///   - compromised: the generations that may have exposed data keys.
    ///   - options: workers, rate, dry run.
    ///   - control: stop and progress.
    public init(
        _ store: any SecretStore, keeper: RingKeeper, compromised: [UInt32], options: RunOptions, control: RunControl
    ) {
        self.store = store
        self.keeper = keeper
        self.compromised = compromised.sorted()
        self.options = options
        self.control = control
    }

    /// Encrypts all of them anew.
    ///
    /// - Parameter job: the identity of a new run; one that is resumed keeps its own.
    /// - Throws: ``RotationError``, `StoreError` with `fenced`, or what a store or the key repository throws.
    public func run(job: String) throws -> RewrapRun.Outcome {
        let mark = GenerationMark(try keeper.keyring.active().generation)
        let authenticator = try keeper.keyring.journalAuthenticator()
        var journal = RewrapJournal(
            job: job, group: store.group, target: mark, started: .now, kind: .reencrypt, compromised: compromised)
        var outcome = RewrapRun.Outcome(
            job: job, tally: RunTally(), handled: 0, stages: StageTimes(), wasResumed: false, ignoredJournal: false)
        if !options.isDryRun, let stored = try store.openJournal() {
            if let known = try RewrapJournal(stored, authenticator) {
                if known.kind == .reencrypt, known.group == store.group, known.target == mark,
                    known.compromised == compromised
                {
                    journal = known
                    journal.resumed += 1
                    outcome.job = known.job
                    outcome.wasResumed = true
                }
            } else {
                outcome.ignoredJournal = true
            }
        }
        let total = Int(try store.census().total)
        control.begin("re-encrypt", total: total, handled: journal.tally.scanned)
        try pass(&journal, mark, authenticator, &outcome)
        outcome.tally = journal.tally
        guard !control.isStopping else {
            outcome.wasInterrupted = true
            return outcome
        }
        guard journal.tally.addsUp else {
            throw RotationError(
                .outcomesDoNotAddUp, "the outcomes of run \(journal.job) do not add up: \(journal.tally)")
        }
        if options.isDryRun { return outcome }
        // A content that somebody wrote meanwhile was born under the active generation: what is still selected now and
        // opens was missed.
        let left = try remaining()
        guard left == 0 else {
            throw RotationError(.incomplete, "\(store.place): \(left) exposed secrets are left; run it again")
        }
        try store.finish(journal.record(authenticator, isFinished: true)) { _ in }
        return outcome
    }

    /// Exposed secrets that are there now and open. The look reads no contents, unless something may be left.
    private func remaining() throws -> Int {
        let reader = try store.contentReader()
        let selection = ContentSelection(compromised: compromised)
        guard try reader.hasAny(selection) else { return 0 }
        let opener = try ContentOpener(group: store.group, keys: KeySource(keeper))
        let batch = ContentBatch()
        var count = 0
        while true {
            batch.reset()
            guard try reader.read(into: batch, selecting: selection) else { return count }
            let orphans = batch.failures.count
            try opener.open(batch)
            count += batch.records.count - (batch.failures.count - orphans)
        }
    }

    private func pass(
        _ journal: inout RewrapJournal, _ mark: GenerationMark, _ authenticator: Authenticator,
        _ outcome: inout RewrapRun.Outcome
    ) throws {
        let store = store
        let control = control
        let options = options
        let keeper = keeper
        let keys = KeySource(keeper)
        let committer = options.isDryRun ? nil : try store.contentCommitter()
        let stages = try ContentPipeline(
            store: store, selection: ContentSelection(compromised: compromised), start: journal.cursor,
            options: options, control: control
        ).run(
            worker: {
                let opener = try ContentOpener(group: store.group, keys: keys)
                let maker = try ContentMaker(keeper.keyring)
                return { try Self.renew($0, opener, maker) }
            },
            commit: { batch in
                if let committer {
                    var next = journal
                    _ = try committer.commit(batch, to: mark, job: journal.job) { tally in
                        // The store may ask more than once; only what it committed counts.
                        next = journal
                        next.add(batch, tally)
                        return try next.record(authenticator, isFinished: false)
                    }
                    journal = next
                } else {
                    var tally = CommitTally()
                    tally.moved = batch.renewals.count
                    for failure in batch.failures { tally.failed[failure.reason] += 1 }
                    journal.add(batch, tally)
                }
                outcome.handled += batch.scannedForReencryption
                control.add(batch.scannedForReencryption)
            })
        outcome.stages += stages
    }

    /// Opens every record and writes its new version over the old one. Messages have one encoding only, so that it is
    /// as long.
    private static func renew(_ batch: ContentBatch, _ opener: ContentOpener, _ maker: ContentMaker) throws {
        batch.reserveNewSlots()
        try opener.open(batch, leaving: .overwritten) { index, plaintext, contentType in
            let record = batch.records[index]
            precondition(
                MessageBody.length(plaintext: plaintext.count, contentType: contentType) == record.body.count,
                "the decoder takes no other encoding")
            try maker.add(
                ContentMaker.Item(
                    name: batch.bytes(record.name), context: record.context.map(batch.bytes), plaintext: plaintext,
                    contentType: contentType, body: batch.base + record.body.lowerBound,
                    slot: batch.newSlots + batch.renew(index).slot))
        }
        try maker.flush()
    }
}

extension ContentBatch {
    /// Secrets that this batch accounts for: selected ones, passed over ones, slots without a content.
    fileprivate var scannedForReencryption: Int {
        records.count + passedOver + failures.reduce(0) { $0 + ($1.index == nil ? 1 : 0) }
    }
}

extension RewrapJournal {
    /// Adds what a batch's commit did, and moves the cursor.
    fileprivate mutating func add(_ batch: ContentBatch, _ commit: CommitTally) {
        tally.scanned += batch.scannedForReencryption
        tally.current += batch.passedOver
        tally.moved += commit.moved
        tally.superseded += commit.superseded
        tally.failed += commit.failed
        cursor = max(cursor, batch.position)
    }
}
