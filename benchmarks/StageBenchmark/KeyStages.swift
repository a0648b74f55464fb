import Cryptography
import Home
import KeyManagement
import Protection
import SecretStores

/// The stages of a rewrap, one after another on one thread: scan, unwrap, wrap, commit.
///
/// The store's reader and committer, the batches' size and the key wrap are the job's. What is missing is the queues
/// between them, and the work beside each other.
struct KeyStages {
    private static let pages = 256

    private let home: Home

    init(_ home: Home) { self.home = home }

    /// One new generation, and every slot moved to it.
    func run(_ recorder: Recorder) throws {
        let store = home.store
        let (before, oldKey) = try home.keeper.keyring.active()
        let number = try home.publish(reason: "stages", activates: true)
        let (active, newKey) = try home.keeper.keyring.active()
        let mark = GenerationMark(active)
        try store.raiseFence(to: mark)
        let wrapper = try Wrapper(from: (before.number, oldKey), to: (number, newKey))
        let reader = try store.pageReader()
        let committer = try store.pageCommitter()
        let batch = PageBatch(slotsPerPage: store.slotsPerPage, capacity: Self.pages)
        let journal = StageJournal(job: "stages-\(number)")
        var last: Int64 = 0
        while true {
            batch.reset()
            var (scan, unwrap, wrap, commit) = (
                Recorder.Batch(), Recorder.Batch(), Recorder.Batch(), Recorder.Batch()
            )
            try recorder.measure(&scan) { try reader.read(into: batch, after: last) }
            guard batch.count > 0 else { break }
            last = batch.pages[batch.count - 1]
            let moved = try wrapper.apply(to: batch, recorder, &unwrap, &wrap)
            let tally = try recorder.measure(&commit) {
                try committer.commit(batch, to: mark, job: journal.job) { _ in journal.record(isFinished: false) }
            }
            guard tally.moved == moved else { throw Failure(what: "\(tally.moved) of \(moved) slots were moved") }
            recorder.add(scan, moved, to: "scan")
            recorder.add(unwrap, moved, to: "unwrap")
            recorder.add(wrap, moved, to: "wrap")
            recorder.add(commit, moved, to: "commit")
        }
        try store.finish(journal.record(isFinished: true)) { census in
            guard census.stale(except: number) == 0 else { throw Failure(what: "secrets were left behind") }
        }
    }

    /// The key wrap of a batch, both halves measured apart.
    private final class Wrapper {
        private let source: UInt32
        private let target: UInt32
        private let unwrapping: BlockCipher
        private let wrapping: BlockCipher
        private let lanes: KeyWrapLanes
        private let offsets = UnsafeMutablePointer<Int>.allocate(capacity: KeyWrapLanes.width)

        init(from old: (number: UInt32, key: Keyring.Key), to new: (number: UInt32, key: Keyring.Key)) throws {
            source = old.number
            target = new.number
            unwrapping = try BlockCipher(key: old.key.bytes, .decrypt)
            wrapping = try BlockCipher(key: new.key.bytes, .encrypt)
            lanes = try KeyWrapLanes()
        }

        deinit { offsets.deallocate() }

        /// - Returns: how many slots are to be moved.
        func apply(
            to batch: PageBatch, _ recorder: Recorder, _ unwrap: inout Recorder.Batch, _ wrap: inout Recorder.Batch
        ) throws -> Int {
            batch.new.copyMemory(from: batch.old, byteCount: batch.count * batch.pageLength)
            var (waiting, total) = (0, 0)
            for page in 0..<batch.count {
                let start = page * batch.pageLength
                for offset in stride(from: start, to: start + batch.pageLength, by: Slot.length)
                where Slot.generation(batch.old + offset) == source {
                    batch.changed[page] = true
                    offsets[waiting] = offset
                    waiting += 1
                    total += 1
                    if waiting == KeyWrapLanes.width { try flush(&waiting, batch, recorder, &unwrap, &wrap) }
                }
            }
            try flush(&waiting, batch, recorder, &unwrap, &wrap)
            lanes.wipeLanes()
            batch.scanned = total
            if total > 0 { batch.sources.append(.init(generation: source, count: total)) }
            return total
        }

        private func flush(
            _ waiting: inout Int, _ batch: PageBatch, _ recorder: Recorder, _ unwrap: inout Recorder.Batch,
            _ wrap: inout Recorder.Batch
        ) throws {
            let count = waiting
            waiting = 0
            try recorder.measure(&unwrap) {
                for lane in 0..<count {
                    lanes.load(wrapped: batch.old + offsets[lane] + Slot.wrappedKeyOffset, lane: lane)
                }
                try lanes.unwrap(count, under: unwrapping)
                for lane in 0..<count where !lanes.isIntact(lane) { throw Failure(what: "a key does not unwrap") }
            }
            try recorder.measure(&wrap) {
                try lanes.wrap(count, under: wrapping)
                for lane in 0..<count {
                    Slot.setGeneration(target, batch.new + offsets[lane])
                    lanes.store(wrapped: batch.new + offsets[lane] + Slot.wrappedKeyOffset, lane: lane)
                }
            }
        }
    }
}

/// As many bytes as a job's journal has; the store does not look into them.
struct StageJournal {
    var job: String

    func record(isFinished: Bool) -> JournalRecord {
        JournalRecord(
            job: job, content: [UInt8](repeating: 0, count: 200), mac: [UInt8](repeating: 0, count: 32),
            isFinished: isFinished)
    }
}
