import Databases

/// Reads contents with their slots: key pages and contents are both in the order of places, and are merged. A slot
/// without a content and a content without a slot come out as failures.
final class SQLiteContentReader: ContentReader {
    private let connection: Connection
    private let path: String
    private let slotsPerPage: Int
    private var pages: RawStatement?
    private var contents: RawStatement?
    /// A selection may pass over millions; the snapshot is given back after so many pages all the same.
    private static let pagesAtOnce = 1024
    /// The largest plaintext and what a message adds to it.
    private static let bodyLimit = StoreLimits.plaintext + 1024
    // Where the next batch begins.
    private var nextPlace: Int64 = 0
    private var isAtEnd = false

    init(path: String, slotsPerPage: Int) throws {
        self.path = path
        self.slotsPerPage = slotsPerPage
        let connection = try Connection(path: path, durability: .normal, writeAheadLog: true, cacheKiB: 2048)
        self.connection = connection
        (pages, contents) = try connection.access { database in
            (
                try RawStatement(
                    "SELECT page, slots FROM key_page WHERE page >= ?1 ORDER BY page", database, path: path),
                try RawStatement(
                    // A body that is not selected is not even read; an outsized one is read piece by piece.
                    """
                    SELECT id, name, birth, context, length(body),
                        CASE WHEN length(body) <= ?3 AND birth & 4294967295 <= ?2 THEN body END
                    FROM secret WHERE id >= ?1 ORDER BY id
                    """, database, path: path
                )
            )
        }
    }

    deinit {
        try? connection.access { _ in
            pages = nil
            contents = nil
        }
    }

    func skip(to position: Int64) { nextPlace = max(nextPlace, position) }

    func hasAny(_ selection: ContentSelection) throws -> Bool {
        try connection.read { database in
            let found = try RawStatement(
                "SELECT 1 FROM secret WHERE birth & 4294967295 <= ?1 LIMIT 1", database, path: path)
            found.bind(1, Int64(selection.latestBirth))
            return try found.step()
        }
    }

    func read(into batch: ContentBatch, selecting selection: ContentSelection) throws -> Bool {
        guard let pages, let contents, !isAtEnd else { return false }
        var pagesLeft = Self.pagesAtOnce
        // BEGIN makes the two statements see one snapshot.
        try connection.read { database in
            let window = BlobWindow(table: "secret", column: "body", isReadOnly: true, database, path: path)
            defer {
                window.close()
                pages.reset()
                contents.reset()
            }
            pages.bind(1, nextPlace / Int64(slotsPerPage))
            // The first time from below, so that a content with an impossible number is met.
            contents.bind(1, nextPlace == 0 ? Int64.min : nextPlace)
            contents.bind(2, Int64(selection.latestBirth))
            contents.bind(3, Int64(batch.outsizedLimit))
            var hasContent = try contents.step()
            while !batch.isFull, pagesLeft > 0, try pages.step() {
                pagesLeft -= 1
                let page = pages.integer(0)
                let slots = pages.bytes(1)
                guard slots.count == slotsPerPage * Slot.length, (1...SQLiteSchema.maximumPage).contains(page) else {
                    throw StoreError(.damaged, "\(path): key page \(page) has \(slots.count) bytes; run keyroll doctor")
                }
                let first = page * Int64(slotsPerPage)
                // Contents before this page have no page at all.
                while hasContent, contents.integer(0) < first {
                    _ = try take(nil, batch, contents, window, &hasContent, selection)
                }
                for slot in 0..<slotsPerPage where first + Int64(slot) >= nextPlace {
                    if batch.isFull {
                        nextPlace = first + Int64(slot)
                        batch.position = nextPlace
                        return
                    }
                    let bytes = slots.baseAddress! + slot * Slot.length
                    if hasContent, contents.integer(0) == first + Int64(slot) {
                        guard try take(bytes, batch, contents, window, &hasContent, selection) else {
                            nextPlace = first + Int64(slot)
                            batch.position = nextPlace
                            return
                        }
                    } else if Slot.generation(bytes) != 0 {
                        batch.failures.append(
                            .init(
                                index: nil, place: SlotPlace(page: page, slot: slot),
                                generation: Slot.generation(bytes),
                                reason: .malformed))
                    }
                }
                nextPlace = first + Int64(slotsPerPage)
                batch.position = nextPlace
            }
            guard !batch.isFull, pagesLeft > 0 else { return }
            // Contents behind the last page have none.
            while hasContent { _ = try take(nil, batch, contents, window, &hasContent, selection) }
            isAtEnd = true
        }
        return true
    }

    /// Adds the present content and goes on to the next one.
    ///
    /// - Returns: false for an outsized one that has to wait: for a batch of its own, or for more room than was granted.
    private func take(
        _ slot: UnsafeRawPointer?, _ batch: ContentBatch, _ contents: RawStatement, _ window: BlobWindow,
        _ hasContent: inout Bool, _ selection: ContentSelection
    ) throws -> Bool {
        let id = contents.integer(0)
        guard id / Int64(slotsPerPage) <= SQLiteSchema.maximumPage else {
            throw StoreError(
                .damaged, "\(path): a content has the number \(id), which is no place; run: keyroll doctor")
        }
        let place = SlotPlace(page: id / Int64(slotsPerPage), slot: Int(id % Int64(slotsPerPage)))
        let birth = UInt32(truncatingIfNeeded: contents.integer(2))
        let length = Int(contents.integer(4))
        if let slot, !selection.contains(birth: birth, generation: Slot.generation(slot)) {
            batch.passedOver += 1
        } else if let slot, !contents.isNull(5) {
            batch.append(
                place: place, birth: birth, slot: slot,
                name: contents.bytes(1),
                context: contents.isNull(3) ? nil : contents.bytes(3), body: contents.bytes(5))
        } else if let slot, length <= Self.bodyLimit {
            guard batch.records.isEmpty else { return false }
            guard length <= batch.grant else {
                batch.wanted = length
                return false
            }
            try batch.setOutsized(
                place: place, birth: birth, slot: slot, name: contents.bytes(1),
                context: contents.isNull(3) ? nil : contents.bytes(3), bodyLength: length
            ) { memory in
                guard try window.move(to: id) == length else {
                    throw StoreError(.damaged, "\(path): a content changed its length while it was read")
                }
                try window.read(into: memory.baseAddress!, count: length)
            }
        } else {
            batch.failures.append(
                .init(index: nil, place: place, generation: slot.map { Slot.generation($0) } ?? 0, reason: .malformed))
        }
        hasContent = try contents.step()
        return true
    }
}
