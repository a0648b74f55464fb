import SecretStores

/// Everything that a reader of contents gave.
struct Contents {
    var entries: [Entry] = []
    var places: [SlotPlace] = []
    var failures: [ContentBatch.Failure] = []
    var passedOver = 0
    /// Batches that had anything in them.
    var batches = 0
    /// Where each of those batches ended.
    var positions: [Int64] = []

    /// Entries in the order of their names.
    var sorted: [Entry] { entries.sorted { $0.name.lexicographicallyPrecedes($1.name) } }
}

extension Fixture {
    /// Reads everything through a new reader.
    ///
    /// - Parameters:
    ///   - batch: is used again and again.
    ///   - selection: which contents.
    ///   - position: where to begin.
    ///   - between: called after each batch.
    func contents(
        _ batch: ContentBatch = ContentBatch(), selecting selection: ContentSelection = .all, from position: Int64 = 0,
        between: () throws -> Void = {}
    ) throws -> Contents {
        let reader = try store.contentReader()
        if position > 0 { reader.skip(to: position) }
        var found = Contents()
        while true {
            batch.reset()
            guard try reader.read(into: batch, selecting: selection) else { return found }
            found.passedOver += batch.passedOver
            found.failures += batch.failures
            if !batch.records.isEmpty || !batch.failures.isEmpty {
                found.batches += 1
                found.positions.append(batch.position)
            }
            for record in batch.records {
                found.entries.append(Entry(record, batch))
                found.places.append(record.place)
            }
            try between()
        }
    }
}

extension Entry {
    /// What a record of a batch says.
    init(_ record: ContentBatch.Record, _ batch: ContentBatch) {
        self.init(
            Array(batch.bytes(record.name)), generation: record.birth,
            context: record.context.map { Array(batch.bytes($0)) })
        body = Array(batch.bytes(record.body))
        slot = Array(UnsafeRawBufferPointer(start: batch.base + record.slot, count: Slot.length))
    }
}
