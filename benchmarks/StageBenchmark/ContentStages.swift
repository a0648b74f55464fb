import Cryptography
import Envelopes
import Home
import KeyManagement
import Protection
import SecretStores

/// The stages of a re-encryption, one after another on one thread: read, decrypt, encrypt, commit.
///
/// Decrypting includes unwrapping the data keys and decoding the messages, encrypting includes new data keys, their
/// wrapping and the messages: what `ContentOpener` and `ContentMaker` do in a job's worker.
struct ContentStages {
    private let home: Home

    init(_ home: Home) { self.home = home }

    func run(_ recorder: Recorder) throws {
        let store = home.store
        let (opener, maker) = (
            try ContentOpener(group: store.group, keys: KeySource(home.keeper)), try ContentMaker(home.keeper.keyring)
        )
        let reader = try store.contentReader()
        let committer = try store.contentCommitter()
        let batch = ContentBatch()
        let journal = StageJournal(job: "contents")
        let plaintexts = Plaintexts()
        var more = true
        while more {
            batch.reset()
            var (read, decrypt, encrypt, commit) = (
                Recorder.Batch(), Recorder.Batch(), Recorder.Batch(), Recorder.Batch()
            )
            more = try recorder.measure(&read) { try reader.read(into: batch) }
            let count = batch.records.count
            guard count > 0 else { continue }
            plaintexts.reset(batch.byteCount)
            try recorder.measure(&decrypt) {
                try opener.open(batch) { _, plaintext, contentType in plaintexts.add(plaintext, contentType) }
            }
            guard batch.failures.isEmpty else { throw Failure(what: "\(batch.failures.count) secrets do not open") }
            try recorder.measure(&encrypt) {
                batch.reserveNewSlots()
                for index in 0..<count {
                    let record = batch.records[index]
                    try maker.add(
                        ContentMaker.Item(
                            name: batch.bytes(record.name), context: record.context.map(batch.bytes),
                            plaintext: plaintexts[index], contentType: plaintexts.types[index],
                            body: batch.base + record.body.lowerBound, slot: batch.newSlots + batch.renew(index).slot))
                }
                try maker.flush()
            }
            let tally = try recorder.measure(&commit) {
                try committer.commit(batch, to: maker.mark, job: journal.job) { _ in journal.record(isFinished: false) }
            }
            guard tally.moved == count else { throw Failure(what: "\(tally.moved) of \(count) contents were written") }
            recorder.add(read, count, to: "content scan")
            recorder.add(decrypt, count, to: "content decrypt")
            recorder.add(encrypt, count, to: "content encrypt")
            recorder.add(commit, count, to: "content commit")
        }
        try store.finish(journal.record(isFinished: true)) { _ in }
    }

    /// A batch's plaintexts between the two halves. They are random bytes of the measurement's own.
    private final class Plaintexts {
        private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 64)
        private var ranges: ContiguousArray<Range<Int>> = []
        private(set) var types: ContiguousArray<ContentType> = []
        private var used = 0

        init() {
            ranges.reserveCapacity(4096)
            types.reserveCapacity(4096)
        }

        deinit { memory.deallocate() }

        subscript(index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[ranges[index]]) }

        func reset(_ bytes: Int) {
            if bytes > memory.count {
                memory.deallocate()
                memory = .allocate(byteCount: bytes, alignment: 64)
            }
            ranges.removeAll(keepingCapacity: true)
            types.removeAll(keepingCapacity: true)
            used = 0
        }

        func add(_ plaintext: UnsafeRawBufferPointer, _ type: ContentType) {
            let range = used..<used + plaintext.count
            UnsafeMutableRawBufferPointer(rebasing: memory[range]).copyMemory(from: plaintext)
            used = range.upperBound
            ranges.append(range)
            types.append(type)
        }
    }
}
