import Cryptography
import Envelopes
public import Interchange
public import KeyManagement
import Protection
public import SecretStores
import Synchronization

/// Imports files into a store: parser, crypto workers, committer.
///
/// Each batch is one durable transaction, all or none. Same name with the same content is no change; with another
/// content it is reported and kept, unless it is to be replaced.
public struct ImportRun {
    /// What an import did.
    public struct Outcome: Sendable {
        /// New, replaced, unchanged and kept secrets.
        public var tally = WriteTally()
        /// Records that were read.
        public var records = 0
        /// What was wrong with the input, the first ten thousand.
        public var problems: [ImportProblem] = []
        /// How many problems there were.
        public var problemCount = 0
        /// How long each stage was busy.
        public var stages = StageTimes()
        /// Whether somebody asked for an end before it was reached; what was committed stays.
        public var wasInterrupted = false
    }

    private let store: any SecretStore
    private let keeper: RingKeeper
    private let options: RunOptions
    private let control: RunControl
    private let replace: Bool

    /// - Parameters:
    ///   - store: where the secrets go.
    ///   - keeper: the ring; its active generation protects.
    ///   - replace: write over secrets with another content.
    ///   - options: workers, rate, dry run.
    ///   - control: stop and progress.
    public init(
        _ store: any SecretStore, keeper: RingKeeper, replace: Bool, options: RunOptions, control: RunControl
    ) {
        self.store = store
        self.keeper = keeper
        self.replace = replace
        self.options = options
        self.control = control
    }

    /// Records of one batch with their messages: used again and again.
    private final class Batch: @unchecked Sendable {
        // @unchecked: handed from stage to stage, one owner at a time.
        let input: RecordBatch
        var room: UnsafeMutableRawBufferPointer
        var pending: ContiguousArray<PendingSecret> = []
        var mark: GenerationMark?

        /// So many records at most: a batch is one transaction, and an application's write waits for it.
        static let recordsAtMost = 4096

        init(records: Int) throws {
            input = try RecordBatch(capacity: 1 << 20, maximumRecords: records)
            room = .allocate(byteCount: 1 << 20, alignment: 64)
            pending.reserveCapacity(records)
        }

        deinit { room.deallocate() }

        func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: input.base + range.lowerBound, count: range.count)
        }

        /// Protects all records with `maker`.
        func protect(_ maker: ContentMaker) throws {
            let records = input.records
            var needed = records.count * Slot.length
            for record in records {
                needed += MessageBody.length(plaintext: record.secret.count, contentType: record.contentType.coap)
            }
            if needed > room.count {
                room.deallocate()
                room = .allocate(byteCount: needed, alignment: 64)
            }
            pending.removeAll(keepingCapacity: true)
            mark = maker.mark
            var next = room.baseAddress!
            try maker.protect(records.count) { index in
                let record = records[index]
                let length = MessageBody.length(plaintext: record.secret.count, contentType: record.contentType.coap)
                let slot = next
                let body = next + Slot.length
                next += Slot.length + length
                let name = bytes(record.name)
                let context = record.context.map { bytes($0) }
                pending.append(
                    PendingSecret(
                        name: name, context: context, body: UnsafeRawBufferPointer(start: body, count: length),
                        slot: slot, birth: maker.mark.number))
                return ContentMaker.Item(
                    name: name, context: context, plaintext: bytes(record.secret),
                    contentType: record.contentType.coap, body: body, slot: slot)
            }
        }
    }

    /// Reads everything that `source` gives.
    ///
    /// What is wrong with a file as a whole is a problem, too, and the other files are imported.
    ///
    /// - Throws: what a store or the key
    ///   repository throws. Batches committed before stay.
    public func run(_ source: RecordSource) throws -> Outcome {
        let control = control
        let keeper = keeper
        let options = options
        let sources = SoleOwner(source)
        var outcome = Outcome()
        control.begin("import", total: 0)
        let records = options.maximumRate.map { min(Batch.recordsAtMost, max(1, $0 / 20)) } ?? Batch.recordsAtMost
        let batches = try (0..<(options.workers + 2)).map { _ in try Batch(records: records) }
        let givenUp = Mutex<[ImportProblem]>([])
        let opener = try SecretCipher.Opener(group: store.group, keys: KeySource(keeper))
        outcome.stages = try Pipeline<Batch>.run(
            batches, workers: options.workers, control: control,
            reader: {
                var pacer = Pacer(options.maximumRate)
                return { batch in
                    batch.input.reset()
                    while true {
                        do {
                            let more = try sources.value.read(into: batch.input)
                            pacer.pass(batch.input.records.count, control)
                            return more
                        } catch let error as ImportError {
                            // One bad file does not stop the others: the source goes on with the next one.
                            givenUp.withLock {
                                $0.append(ImportProblem(file: error.file, line: error.line, message: error.reason))
                            }
                        }
                    }
                }
            },
            worker: {
                var maker = try ContentMaker(keeper.keyring)
                return { batch in
                    // After a roll of somebody else's the committer reads the ring again; the next batches follow.
                    if let active = keeper.keyring.ring.active, active.number != maker.mark.number {
                        maker = try ContentMaker(keeper.keyring)
                    }
                    try batch.protect(maker)
                }
            },
            commit: { batch in
                let tally = try commit(batch, opener, triesLeft: 5)
                outcome.records += batch.input.records.count
                outcome.tally.added += tally.added
                outcome.tally.replaced += tally.replaced
                outcome.tally.unchanged += tally.unchanged
                outcome.tally.kept += tally.kept
                for index in tally.keptIndices where outcome.problems.count < 10_000 {
                    let record = batch.input.records[index]
                    outcome.problems.append(
                        ImportProblem(
                            file: sources.value.files[record.file], line: record.line == 0 ? nil : record.line,
                            message:
                                "'\(String(decoding: batch.bytes(record.name), as: UTF8.self))' is stored with another content, which was kept; use --replace"
                        ))
                }
                outcome.problemCount += tally.kept
                control.add(batch.input.records.count)
            })
        let files = givenUp.withLock { $0 }
        outcome.problems = files + source.takeProblems() + outcome.problems
        outcome.problemCount += source.problemCount + files.count
        outcome.wasInterrupted = control.isStopping
        return outcome
    }

    /// Commits; where another process has rolled meanwhile, with the ring read again.
    private func commit(_ batch: Batch, _ opener: SecretCipher.Opener, triesLeft: Int) throws -> WriteTally {
        do { return try commit(batch, opener) } catch let error as StoreError {
            guard case .fenced = error.code, triesLeft > 0 else { throw error }
            try keeper.reload()
            try batch.protect(ContentMaker(keeper.keyring))
            return try commit(batch, opener, triesLeft: triesLeft - 1)
        }
    }

    private func commit(_ batch: Batch, _ opener: SecretCipher.Opener) throws -> WriteTally {
        guard !options.isDryRun else { return try preview(batch, opener) }
        return try batch.pending.withUnsafeBufferPointer { pending in
            try store.write(pending, under: batch.mark!) { index, present in
                try decide(batch, index, present, opener)
            }
        }
    }

    /// What a commit would do.
    private func preview(_ batch: Batch, _ opener: SecretCipher.Opener) throws -> WriteTally {
        var tally = WriteTally()
        for index in batch.input.records.indices {
            guard let present = try store.secret(named: Array(batch.bytes(batch.input.records[index].name))) else {
                tally.added += 1
                continue
            }
            switch try decide(batch, index, present, opener) {
            case .replace: tally.replaced += 1
            case .unchanged: tally.unchanged += 1
            case .keep:
                tally.kept += 1
                tally.keptIndices.append(index)
            }
        }
        return tally
    }

    /// Whether what is stored is what the file says.
    private func decide(
        _ batch: Batch, _ index: Int, _ present: StoredSecret, _ opener: SecretCipher.Opener
    ) throws -> ConflictDecision {
        let record = batch.input.records[index]
        let otherwise = replace ? ConflictDecision.replace : .keep
        guard present.context == record.context.map({ Array(batch.bytes($0)) }) else { return otherwise }
        do {
            return try opener.unprotect(present) { plaintext, _ in
                equalInConstantTime(plaintext, batch.bytes(record.secret)) ? .unchanged : otherwise
            }
        } catch is SecretCipher.Failure {
            // What cannot be opened is not the same; it is written over only if that was asked for.
            return otherwise
        }
    }
}

/// Carries a value that is not Sendable into the one thread that uses it.
private final class SoleOwner<Value>: @unchecked Sendable {
    // @unchecked: the reader's thread alone reads records; the others look at the constant list of files.
    let value: Value
    init(_ value: Value) { self.value = value }
}

extension ImportContentType {
    /// The content type that the message carries.
    fileprivate var coap: ContentType {
        switch self {
        case .bytes: .bytes
        case .text: .text
        case .json: .json
        }
    }
}
