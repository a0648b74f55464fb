public import Cryptography
public import Envelopes
public import SecretStores

/// Unprotects contents: one worker's contexts, lanes and locked scratch memory.
///
/// One object serves one thread. Nothing is allocated for a secret, unless it is larger than every one before; an
/// outsized one is opened in the batch's own memory, which is protected.
public final class ContentOpener {
    /// What becomes of an outsized plaintext, which lies where its message lay.
    public enum Place {
        /// It is wiped: the record has no body any more.
        case wiped
        /// `consume` writes a new message over it.
        case overwritten
    }

    private let keys: UnwrappingKeys
    private let lanes: KeyWrapLanes
    private let protector: ContentProtector
    private var dataKey: SecureBytes
    private var plaintext: SecureBytes
    // The same memory, which stays where it is as long as those do.
    private let key: UnsafeMutableRawBufferPointer
    private var scratch: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - group: the group whose secrets these are.
    ///   - keys: where keys are found.
    public init(group: Identity, keys: KeySource) throws {
        self.keys = UnwrappingKeys(keys)
        lanes = try KeyWrapLanes()
        protector = try ContentProtector(group: group)
        var keyMemory = try SecureBytes(count: 32)
        var plaintextMemory = try SecureBytes(count: 64 << 10)
        key = keyMemory.withUnsafeMutableBytes { $0 }
        scratch = plaintextMemory.withUnsafeMutableBytes { $0 }
        dataKey = keyMemory
        plaintext = plaintextMemory
    }

    /// Opens every record of a batch and lists those that do not open.
    ///
    /// - Parameters:
    ///   - batch: what a store's reader filled; its failures are added to.
    ///   - place: what becomes of an outsized plaintext.
    ///   - consume: gets each plaintext, which is wiped afterwards.
    /// - Throws: what the key repository or OpenSSL throws; never because of one secret.
    public func open(
        _ batch: ContentBatch, leaving place: Place = .wiped,
        consume: (_ record: Int, _ plaintext: UnsafeRawBufferPointer, _ contentType: ContentType) throws -> Void = {
            _, _, _ in
        }
    ) throws {
        var first = 0
        let records = batch.records
        while first < records.count {
            let generation = Slot.generation(batch.base + records[first].slot)
            var end = first + 1
            while end < records.count, end - first < KeyWrapLanes.width,
                Slot.generation(batch.base + records[end].slot) == generation
            { end += 1 }
            try open(first..<end, of: batch, generation: generation, leaving: place, consume: consume)
            first = end
        }
        lanes.wipeLanes()
    }

    private func open(
        _ range: Range<Int>, of batch: ContentBatch, generation: UInt32, leaving place: Place,
        consume: (Int, UnsafeRawBufferPointer, ContentType) throws -> Void
    ) throws {
        let cipher: BlockCipher
        switch generation == 0 ? .refused(.malformed) : try keys.entry(generation) {
        case .usable(let found): cipher = found
        case .refused(let reason):
            for index in range { fail(index, batch, generation, reason) }
            return
        }
        for index in range {
            lanes.load(
                wrapped: batch.base + batch.records[index].slot + Slot.wrappedKeyOffset, lane: index - range.lowerBound)
        }
        try lanes.unwrap(range.count, under: cipher)
        for index in range {
            guard lanes.isIntact(index - range.lowerBound) else {
                fail(index, batch, generation, .integrityCheckFailed)
                continue
            }
            let record = batch.records[index]
            let body = batch.bytes(record.body)
            let layout: MessageBody.Layout
            do throws(EnvelopeError) { layout = try MessageBody.decode(body) } catch {
                fail(index, batch, generation, .malformed)
                continue
            }
            let target = try room(for: layout, of: batch, record)
            lanes.store(key: key.baseAddress!, lane: index - range.lowerBound)
            let isOpen = protector.unprotect(
                body, layout: layout, name: batch.bytes(record.name), context: record.context.map(batch.bytes),
                birth: record.birth, dataKey: key.baseAddress!, into: target.baseAddress!)
            wipe(key)
            guard isOpen else {
                fail(index, batch, generation, .integrityCheckFailed)
                continue
            }
            var isOverwritten = false
            defer { if !isOverwritten { wipe(target) } }
            try consume(index, UnsafeRawBufferPointer(target), layout.contentType)
            isOverwritten = batch.isOutsized && place == .overwritten
        }
    }

    /// Where a plaintext goes: into this worker's locked scratch, or, an outsized one, where its ciphertext lies.
    private func room(
        for layout: MessageBody.Layout, of batch: ContentBatch, _ record: ContentBatch.Record
    ) throws -> UnsafeMutableRawBufferPointer {
        let count = layout.plaintextLength
        if batch.isOutsized {
            let start = batch.base + record.body.lowerBound + layout.ciphertext.lowerBound
            return UnsafeMutableRawBufferPointer(start: start, count: count)
        }
        if count > scratch.count {
            plaintext = try SecureBytes(count: count)
            scratch = plaintext.withUnsafeMutableBytes { $0 }
        }
        return UnsafeMutableRawBufferPointer(rebasing: scratch[..<count])
    }

    private func fail(_ index: Int, _ batch: ContentBatch, _ generation: UInt32, _ reason: FailureReason) {
        batch.failures.append(
            .init(index: index, place: batch.records[index].place, generation: generation, reason: reason))
    }
}
