import Cryptography
import KeyManagement
import Protection
import SecretStores

/// Unwraps data keys and wraps them under the target generation: one worker's contexts and lanes.
///
/// Slots are gathered by the generation they leave, 128 at a time, wherever they lie in the batch.
final class RewrapTransform {
    private let target: UInt32
    private let wrapping: BlockCipher
    private let keys: KeySource
    private let lanes: KeyWrapLanes
    private var sources: [Source] = []

    /// Slots of one generation that wait for their turn.
    ///
    /// What changes for each slot lies in plain memory and not in properties: Swift checks the exclusive use of a
    /// class's properties at run time, which would take as long as the key wrap itself.
    private struct Queue {
        struct Waiting {
            /// How many wait.
            var count = 0
            /// How many of the batch were moved.
            var moved = 0
        }

        let waiting: UnsafeMutablePointer<Waiting>
        /// Their offsets in the batch, in bytes, and the pages they lie on.
        let offsets: UnsafeMutablePointer<Int>
        let pages: UnsafeMutablePointer<Int>

        init() {
            waiting = .allocate(capacity: 1)
            waiting.initialize(to: Waiting())
            offsets = .allocate(capacity: KeyWrapLanes.width)
            pages = .allocate(capacity: KeyWrapLanes.width)
        }

        func deallocate() {
            waiting.deallocate()
            offsets.deallocate()
            pages.deallocate()
        }
    }

    /// A generation that slots leave.
    private final class Source {
        let generation: UInt32
        let unwrapping: BlockCipher?
        let refusal: FailureReason
        let queue: Queue

        init(_ generation: UInt32, _ answer: KeySource.Answer) throws {
            self.generation = generation
            switch answer {
            case .usable(let key):
                unwrapping = try BlockCipher(key: key.bytes, .decrypt)
                refusal = .keyAbsent
            case .refused(let reason):
                unwrapping = nil
                refusal = reason
            }
            queue = Queue()
        }

        deinit { queue.deallocate() }
    }

    init(target: UInt32, key: Keyring.Key, keys: KeySource) throws {
        self.target = target
        wrapping = try BlockCipher(key: key.bytes, .encrypt)
        self.keys = keys
        lanes = try KeyWrapLanes()
    }

    /// Fills the batch's ``PageBatch/new``.
    func apply(to batch: PageBatch) throws {
        batch.new.copyMemory(from: batch.old, byteCount: batch.count * batch.pageLength)
        let target = target
        let old = batch.old
        let pageLength = batch.pageLength
        var scanned = 0
        var current = 0
        var source: Source?
        // Beside the source: a slot must not cost a retain and a release of it.
        var queue: Queue?
        var sourceGeneration: UInt32 = 0
        for page in 0..<batch.count {
            let start = page * pageLength
            for offset in stride(from: start, to: start + pageLength, by: Slot.length) {
                let generation = Slot.generation(old + offset)
                if generation == 0 { continue }
                scanned += 1
                if generation == target {
                    current += 1
                    continue
                }
                if generation != sourceGeneration {
                    let found = try self.source(generation)
                    source = found
                    queue = found.unwrapping == nil ? nil : found.queue
                    sourceGeneration = generation
                }
                guard let queue else {
                    if let source { fail(offset, batch, source.generation, source.refusal) }
                    continue
                }
                let place = queue.waiting.pointee.count
                queue.offsets[place] = offset
                queue.pages[place] = page
                queue.waiting.pointee.count = place + 1
                if place + 1 == KeyWrapLanes.width, let source { try flush(source, batch) }
            }
        }
        for source in sources {
            try flush(source, batch)
            let moved = source.queue.waiting.pointee.moved
            if moved > 0 { batch.sources.append(.init(generation: source.generation, count: moved)) }
            source.queue.waiting.pointee.moved = 0
        }
        lanes.wipeLanes()
        batch.scanned = scanned
        batch.current = current
    }

    private func flush(_ source: Source, _ batch: PageBatch) throws {
        let queue = source.queue
        let count = queue.waiting.pointee.count
        guard count > 0, let unwrapping = source.unwrapping else { return }
        let (old, new, changed, lanes, target) = (batch.old, batch.new, batch.changed, lanes, target)
        for lane in 0..<count { lanes.load(wrapped: old + queue.offsets[lane] + Slot.wrappedKeyOffset, lane: lane) }
        try lanes.unwrap(count, under: unwrapping)
        // A lane with a wrong integrity value is wrapped along with the others and not stored.
        var bad: UInt128 = 0
        for lane in 0..<count where !lanes.isIntact(lane) { bad |= 1 << UInt128(lane) }
        try lanes.wrap(count, under: wrapping)
        var moved = count
        for lane in 0..<count {
            let offset = queue.offsets[lane]
            if bad != 0, bad >> UInt128(lane) & 1 == 1 {
                fail(offset, batch, source.generation, .integrityCheckFailed)
                moved -= 1
                continue
            }
            Slot.setGeneration(target, new + offset)
            lanes.store(wrapped: new + offset + Slot.wrappedKeyOffset, lane: lane)
            changed[queue.pages[lane]] = true
        }
        queue.waiting.pointee.count = 0
        queue.waiting.pointee.moved += moved
    }

    private func fail(_ offset: Int, _ batch: PageBatch, _ generation: UInt32, _ reason: FailureReason) {
        batch.failures.append(
            .init(
                index: offset / batch.pageLength, slot: offset % batch.pageLength / Slot.length, generation: generation,
                reason: reason))
    }

    private func source(_ generation: UInt32) throws -> Source {
        if let known = sources.first(where: { $0.generation == generation }) { return known }
        let made = try Source(generation, keys.key(generation))
        // A damaged store may name any number; those without a key are not worth remembering.
        if made.unwrapping != nil || sources.count < 1024 { sources.append(made) }
        return made
    }
}
