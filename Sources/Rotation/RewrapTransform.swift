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
    private final class Source {
        let generation: UInt32
        let unwrapping: BlockCipher?
        let refusal: FailureReason
        /// Offsets in the batch, in bytes.
        let waiting: UnsafeMutablePointer<Int>
        var count = 0
        var moved = 0

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
            waiting = .allocate(capacity: KeyWrapLanes.width)
        }

        deinit { waiting.deallocate() }
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
        var scanned = 0
        var current = 0
        var source: Source?
        var sourceGeneration: UInt32 = 0
        let end = batch.count * batch.pageLength
        var offset = 0
        while offset < end {
            let generation = Slot.generation(batch.old + offset)
            defer { offset += Slot.length }
            if generation == 0 { continue }
            scanned += 1
            if generation == target {
                current += 1
                continue
            }
            if generation != sourceGeneration {
                source = try self.source(generation)
                sourceGeneration = generation
            }
            guard let source else { continue }
            guard source.unwrapping != nil else {
                fail(offset, batch, source.generation, source.refusal)
                continue
            }
            source.waiting[source.count] = offset
            source.count += 1
            if source.count == KeyWrapLanes.width { try flush(source, batch) }
        }
        for source in sources {
            try flush(source, batch)
            if source.moved > 0 {
                batch.sources.append(.init(generation: source.generation, count: source.moved))
                source.moved = 0
            }
        }
        lanes.wipeLanes()
        batch.scanned = scanned
        batch.current = current
    }

    private func flush(_ source: Source, _ batch: PageBatch) throws {
        guard source.count > 0, let unwrapping = source.unwrapping else { return }
        let count = source.count
        for lane in 0..<count {
            lanes.load(wrapped: batch.old + source.waiting[lane] + Slot.wrappedKeyOffset, lane: lane)
        }
        try lanes.unwrap(count, under: unwrapping)
        // A lane with a wrong integrity value is wrapped along with the others and not stored.
        var bad: UInt128 = 0
        for lane in 0..<count where !lanes.isIntact(lane) { bad |= 1 << UInt128(lane) }
        try lanes.wrap(count, under: wrapping)
        for lane in 0..<count {
            let offset = source.waiting[lane]
            if bad != 0, bad >> UInt128(lane) & 1 == 1 {
                fail(offset, batch, source.generation, .integrityCheckFailed)
                continue
            }
            Slot.setGeneration(target, batch.new + offset)
            lanes.store(wrapped: batch.new + offset + Slot.wrappedKeyOffset, lane: lane)
            batch.changed[offset / batch.pageLength] = true
            source.moved += 1
        }
        source.count = 0
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
