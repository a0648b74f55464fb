public import KeyManagement
import Protection
public import SecretStores

/// Unprotects every secret of a store and throws the plaintext away.
public struct VerifyRun {
    /// A secret that did not open.
    public struct Fault: Sendable, Equatable {
        /// Its name, or where its slot lies.
        public var name: String
        /// The generation its slot names.
        public var generation: UInt32
        /// Why.
        public var reason: FailureReason

        /// - Parameters:
        ///   - name: its name, or where its slot lies.
        ///   - generation: the generation its slot names.
        ///   - reason: why.
        public init(name: String, generation: UInt32, reason: FailureReason) {
            self.name = name
            self.generation = generation
            self.reason = reason
        }
    }

    /// What a verification found.
    public struct Outcome: Sendable {
        /// ``RunTally/moved`` counts those that opened.
        public var tally = RunTally()
        /// The first of those that did not, at most ``VerifyRun/namedAtMost``.
        public var faults: [Fault] = []
        /// How long each stage was busy.
        public var stages = StageTimes()
        /// Whether somebody asked for an end before it was reached.
        public var wasInterrupted = false
    }

    /// So many are named; all are counted.
    public static let namedAtMost = 1000

    private let store: any SecretStore
    private let keeper: RingKeeper
    private let options: RunOptions
    private let control: RunControl

    /// - Parameters:
    ///   - store: whose secrets to open.
    ///   - keeper: the ring.
    ///   - options: workers and rate.
    ///   - control: stop and progress.
    public init(_ store: any SecretStore, keeper: RingKeeper, options: RunOptions, control: RunControl) {
        self.store = store
        self.keeper = keeper
        self.options = options
        self.control = control
    }

    /// Opens them all.
    ///
    /// - Throws: what a store or the key repository throws; never because of one secret.
    public func run() throws -> Outcome {
        let store = store
        let control = control
        let options = options
        let keys = KeySource(keeper)
        var outcome = Outcome()
        control.begin("verify", total: Int(try store.census().total))
        outcome.stages = try ContentPipeline(
            store: store, selection: .all, start: 0, options: options, control: control
        ).run(
            worker: {
                let opener = try ContentOpener(group: store.group, keys: keys)
                return { try opener.open($0) }
            },
            commit: { batch in
                let orphans = batch.failures.reduce(0) { $0 + ($1.index == nil ? 1 : 0) }
                outcome.tally.scanned += batch.records.count + orphans
                outcome.tally.moved += batch.records.count + orphans - batch.failures.count
                for failure in batch.failures {
                    outcome.tally.failed[failure.reason] += 1
                    if outcome.faults.count < Self.namedAtMost { outcome.faults.append(try fault(failure, batch)) }
                }
                control.add(batch.records.count)
            })
        outcome.wasInterrupted = control.isStopping
        return outcome
    }

    private func fault(_ failure: ContentBatch.Failure, _ batch: ContentBatch) throws -> Fault {
        let name: String
        if let index = failure.index {
            name = String(decoding: batch.bytes(batch.records[index].name), as: UTF8.self)
        } else {
            name =
                try store.name(at: failure.place)
                ?? "(no content: key page \(failure.place.page), slot \(failure.place.slot))"
        }
        return Fault(name: name, generation: failure.generation, reason: failure.reason)
    }
}
