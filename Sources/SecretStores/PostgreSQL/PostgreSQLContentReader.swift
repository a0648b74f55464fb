import PostgreSQL

/// Reads contents with their slots. Key pages and the lengths of contents are looked at first, so that only so much is
/// fetched as a batch takes; both in one snapshot, which ends with the batch.
///
/// A slot without a content and a content without a slot come out as failures.
final class PostgreSQLContentReader: ContentReader {
    /// What is known of a content before it is fetched.
    private struct Found {
        var id: Int64
        var birth: UInt32
        /// Of the body.
        var length: Int
        /// Of name and context.
        var beside: Int
    }

    /// What is taken into the batch.
    private enum Taken {
        case record(Found, slot: UnsafeRawPointer)
        case failure(ContentBatch.Failure)
    }

    private let store: PostgreSQLSecretStore
    private let session: Session
    private let perPage: Int64
    /// Pages that are looked at together.
    private static let pagesAtOnce = 128
    private static let pieceLength = 1 << 20
    /// Whether all batches see one snapshot: for a copy.
    private let keepsSnapshot: Bool
    // Where the next batch begins.
    private var nextPlace: Int64 = 0
    private var isAtEnd = false

    init(_ store: PostgreSQLSecretStore, keepsSnapshot: Bool = false) throws {
        self.store = store
        self.keepsSnapshot = keepsSnapshot
        session = try store.pool.take()
        perPage = Int64(store.slotsPerPage)
    }

    deinit { store.pool.giveBack(session) }

    private var prefix: String { store.schema.prefix }

    func skip(to position: Int64) { nextPlace = max(nextPlace, position) }

    func hasAny(_ selection: ContentSelection) throws -> Bool {
        try store.translated {
            try session.run(
                Statement("SELECT EXISTS (SELECT 1 FROM \(prefix)secret WHERE birth & 4294967295 <= $1)")
                    .integer(Int64(selection.latestBirth))
            ).bool(0, 0)
        }
    }

    func read(into batch: ContentBatch, selecting selection: ContentSelection) throws -> Bool {
        try store.translated {
            do {
                guard !isAtEnd else { return false }
                // As long as nothing is selected, the next pages are looked at in the same call, but in a snapshot of their own.
                for _ in 0..<8 {
                    let more = try look(batch, selection)
                    if !keepsSnapshot { try session.run([PostgreSQLSecretStore.commit]) }
                    if !more || batch.isFull || batch.wanted > 0 || !batch.records.isEmpty { break }
                }
                return true
            } catch {
                try? SessionPool.rollBack(session)
                throw error
            }
        }
    }

    /// Takes what the next pages hold.
    ///
    /// - Returns: whether there may be more of it.
    private func look(_ batch: ContentBatch, _ selection: ContentSelection) throws -> Bool {
        let firstPage = nextPlace / perPage
        let pages = "SELECT page, slots FROM \(prefix)key_page WHERE page >= $1 ORDER BY page LIMIT \(Self.pagesAtOnce)"
        let begin = session.isInTransaction ? [] : [Statement(PostgreSQLSecretStore.snapshot, room: 16)]
        let given = try session.run(
            begin + [
                Statement(pages).integer(firstPage),
                Statement(
                    """
                    SELECT id, birth, octet_length(body)::int8, (octet_length(name) + coalesce(octet_length(context), 0))::int8
                    FROM \(prefix)secret WHERE id >= $2 AND id < coalesce(
                        (SELECT (max(page) + 1) * \(perPage) FROM (SELECT page FROM \(prefix)key_page WHERE page >= $1
                            ORDER BY page LIMIT \(Self.pagesAtOnce)) part), 9223372036854775807)
                    ORDER BY id LIMIT 100000
                    """
                ).integer(firstPage).integer(nextPlace),
            ])
        let rows = Array(given.suffix(2))
        // What is taken points into these rows until it is fetched.
        defer { withExtendedLifetime(rows) {} }
        let contents = rows[1]
        var cursor = 0
        func found() -> Found? {
            guard cursor < contents.count else { return nil }
            return Found(
                id: contents.integer(cursor, 0), birth: UInt32(truncatingIfNeeded: contents.integer(cursor, 1)),
                length: Int(contents.integer(cursor, 2)), beside: Int(contents.integer(cursor, 3)))
        }
        var taken: [Taken] = []
        var outsized: (Found, UnsafeRawPointer)?
        var room = Room(batch)
        defer { batch.position = nextPlace }

        // Contents without a page, up to a place.
        func takeOrphans(below id: Int64) throws {
            while let content = found(), content.id < id {
                _ = try store.slotPlace(content.id)
                taken.append(.failure(failure(content.id, generation: 0)))
                cursor += 1
            }
        }
        pages: for row in 0..<rows[0].count {
            let page = rows[0].integer(row, 0)
            let slots = try store.page(rows[0], row, 1, number: page)
            let first = page * perPage
            try takeOrphans(below: first)
            for slot in 0..<store.slotsPerPage where first + Int64(slot) >= nextPlace {
                let id = first + Int64(slot)
                if room.isFull {
                    nextPlace = id
                    try fetch(taken, batch)
                    return true
                }
                let bytes = slots.baseAddress! + slot * Slot.length
                guard let content = found(), content.id == id else {
                    if Slot.generation(bytes) != 0 {
                        taken.append(.failure(failure(id, generation: Slot.generation(bytes))))
                    }
                    continue
                }
                if !selection.contains(birth: content.birth, generation: Slot.generation(bytes)) {
                    batch.passedOver += 1
                } else if content.length <= batch.outsizedLimit {
                    taken.append(.record(content, slot: bytes))
                    room.take(content.length + content.beside + Slot.length)
                } else if content.length <= PostgreSQLSecretStore.bodyLimit {
                    guard room.isEmpty else {
                        nextPlace = id
                        try fetch(taken, batch)
                        return true
                    }
                    nextPlace = id
                    guard content.length <= batch.grant else {
                        batch.wanted = content.length
                        try fetch(taken, batch)
                        return true
                    }
                    outsized = (content, bytes)
                    nextPlace = id + 1
                    break pages
                } else {
                    taken.append(.failure(failure(id, generation: Slot.generation(bytes))))
                }
                cursor += 1
            }
            nextPlace = first + perPage
        }
        if let (content, slot) = outsized {
            try fetch(taken, batch)
            try fetch(content, slot, batch)
            return true
        }
        if rows[0].count == 0 {
            // Contents behind the last page have none.
            try takeOrphans(below: .max)
            isAtEnd = true
        }
        try fetch(taken, batch)
        return !isAtEnd
    }

    /// What a batch still takes, before anything was fetched.
    private struct Room {
        private let softLimit: Int
        private let maximumRecords: Int
        private var bytes: Int
        private var records: Int

        init(_ batch: ContentBatch) {
            softLimit = batch.softLimit
            maximumRecords = batch.maximumRecords
            bytes = batch.byteCount
            records = batch.records.count
        }

        var isFull: Bool { bytes >= softLimit || records >= maximumRecords }
        var isEmpty: Bool { records == 0 }

        mutating func take(_ count: Int) {
            bytes += count
            records += 1
        }
    }

    private func failure(_ id: Int64, generation: UInt32) -> ContentBatch.Failure {
        .init(
            index: nil, place: SlotPlace(page: id / perPage, slot: Int(id % perPage)), generation: generation,
            reason: .malformed)
    }

    /// Fetches the contents and adds everything in its order.
    private func fetch(_ taken: [Taken], _ batch: ContentBatch) throws {
        let ids = taken.compactMap { item -> Int64? in
            if case .record(let found, _) = item { found.id } else { nil }
        }
        let rows =
            try ids.isEmpty
            ? nil
            : session.run(
                Statement("SELECT name, context, body FROM \(prefix)secret WHERE id = ANY ($1) ORDER BY id")
                    .integers(ids))
        guard rows?.count ?? 0 == ids.count else {
            throw StoreError(.damaged, "\(store.place): contents changed within one snapshot")
        }
        var row = 0
        for item in taken {
            switch item {
            case .failure(let failure): batch.failures.append(failure)
            case .record(let found, let slot):
                guard let rows else { continue }
                batch.append(
                    place: SlotPlace(page: found.id / perPage, slot: Int(found.id % perPage)), birth: found.birth,
                    slot: slot, name: rows.bytes(row, 0), context: rows.isNull(row, 1) ? nil : rows.bytes(row, 1),
                    body: rows.bytes(row, 2))
                row += 1
            }
        }
    }

    /// Fetches an outsized content piece by piece.
    private func fetch(_ found: Found, _ slot: UnsafeRawPointer, _ batch: ContentBatch) throws {
        let beside = try session.run(
            Statement("SELECT name, context FROM \(prefix)secret WHERE id = $1").integer(found.id))
        try batch.setOutsized(
            place: SlotPlace(page: found.id / perPage, slot: Int(found.id % perPage)), birth: found.birth, slot: slot,
            name: beside.bytes(0, 0), context: beside.isNull(0, 1) ? nil : beside.bytes(0, 1),
            bodyLength: found.length
        ) { memory in
            var start = 0
            while start < found.length {
                let piece = try session.run(
                    Statement(
                        "SELECT substring(body FROM $2::int4 FOR \(Self.pieceLength)) FROM \(prefix)secret WHERE id = $1"
                    )
                    .integer(found.id).integer(Int64(start + 1)))
                let bytes = piece.bytes(0, 0)
                guard bytes.count > 0, start + bytes.count <= found.length else {
                    throw StoreError(.damaged, "\(store.place): a content changed its length within one snapshot")
                }
                UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: bytes)
                start += bytes.count
            }
        }
    }
}
