import SecretStores

extension PageBatch {
    /// What a rewrap's transform would put in: every slot of another generation moves to `target`.
    ///
    /// - Parameter failing: slots that cannot be moved, and why.
    func moveAll(to target: UInt32, failing: [SlotPlace: FailureReason] = [:]) {
        new.copyMemory(from: old, byteCount: count * pageLength)
        for index in 0..<count {
            for slot in 0..<slotsPerPage {
                let before = self.slot(slot, of: index)
                let generation = before.withUnsafeBytes { Slot.generation($0.baseAddress!) }
                guard generation != 0 else { continue }
                scanned += 1
                if generation == target {
                    current += 1
                } else if let reason = failing[SlotPlace(page: pages[index], slot: slot)] {
                    failures.append(.init(index: index, slot: slot, generation: generation, reason: reason))
                } else {
                    let after = PageBatch.moved(before, to: target)
                    (new + index * pageLength + slot * Slot.length).copyMemory(from: after, byteCount: Slot.length)
                    changed[index] = true
                    if let known = sources.firstIndex(where: { $0.generation == generation }) {
                        sources[known].count += 1
                    } else {
                        sources.append(.init(generation: generation, count: 1))
                    }
                }
            }
        }
    }

    /// The slot that stands for `slot` after a move: any bytes that tell where they came from.
    static func moved(_ slot: [UInt8], to target: UInt32) -> [UInt8] {
        Entry.slot(target, wrapped: slot[4...].map { $0 ^ UInt8(truncatingIfNeeded: target) })
    }
}

extension Fixture {
    /// A batch with all pages.
    func allPages() throws -> PageBatch {
        let batch = PageBatch(slotsPerPage: store.slotsPerPage, capacity: 100)
        try store.pageReader().read(into: batch, after: 0)
        return batch
    }

    /// Reads everything, moves it to `target`, and commits it.
    @discardableResult
    func move(
        to target: UInt32, job: String = "job", failing: [SlotPlace: FailureReason] = [:],
        between: () throws -> Void = {}
    ) throws -> CommitTally {
        let batch = try allPages()
        batch.moveAll(to: target, failing: failing)
        try between()
        return try store.pageCommitter().commit(batch, to: .test(target), job: job) { _ in .test(job) }
    }

    func place(_ name: String) throws -> SlotPlace? { try store.secret(named: Array(name.utf8))?.place }
}

extension JournalRecord {
    static func test(_ job: String, content: [UInt8] = [1], isFinished: Bool = false) -> JournalRecord {
        JournalRecord(job: job, content: content, mac: patterned(32, seed: 1), isFinished: isFinished)
    }
}

extension Fixture {
    /// Clears the slot of a secret from outside, while its content stays.
    func clear(_ name: String) throws {
        guard let place = try place(name) else { return }
        try damage(.slot(place, [UInt8](repeating: 0, count: Slot.length), slotsPerPage: store.slotsPerPage))
    }
}
