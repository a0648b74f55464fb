import PostgreSQL

/// One transaction that adds and replaces secrets.
///
/// Locks are taken in one order everywhere: pages that are waited for, ascending; pages with room, which are skipped
/// where somebody holds them; contents.
struct PostgreSQLWrite {
    let store: PostgreSQLSecretStore
    let session: Session
    let secrets: UnsafeBufferPointer<PendingSecret>
    let resolve: (Int, StoredSecret) throws -> ConflictDecision

    private var prefix: String { store.schema.prefix }
    /// Contents that are looked at together, and the bytes they may have in all.
    private static let lookedAtTogether = 32
    private static let bytesTogether = 4 << 20

    /// A version that is written over another one.
    private struct Replacement {
        var index: Int
        var id: Int64
    }

    /// Runs the transaction to its end.
    ///
    /// - Parameters:
    ///   - opening: what it begins with; holds the fence last.
    ///   - number: the generation that protects.
    ///   - closing: what it ends with, before it is committed.
    /// - Throws: ``FenceBelow`` where the fence stands below `number`.
    func run(_ opening: [Statement], under number: UInt32, closing: [Statement] = []) throws -> WriteTally {
        var tally = WriteTally()
        var counts: [UInt32: Int] = [:]
        var opening = opening
        let parts = segments()
        for (index, part) in parts.enumerated() {
            let (known, fence) = try known(part, opening)
            if let fence, fence < number { throw FenceBelow() }
            opening = []
            var statements = try write(part, known, &tally, &counts)
            if index == parts.count - 1 {
                statements += store.counting(counts) + closing + [PostgreSQLSecretStore.commit]
            }
            try session.run(statements)
        }
        return tally
    }

    /// The fence stands below the generation that writes: the ring is newer than the last job that was here.
    struct FenceBelow: Error {}

    /// Parts in which no name comes twice: the second one of a name meets the first.
    private func segments() -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = 0
        var names: Set<[UInt8]> = []
        for (index, secret) in secrets.enumerated() where !names.insert(Array(secret.name)).inserted {
            parts.append(start..<index)
            start = index
            names = [Array(secret.name)]
        }
        return parts + [start..<secrets.count]
    }

    /// Which of the names are taken: by index, place and length of the body.
    private func known(
        _ part: Range<Int>, _ opening: [Statement]
    ) throws -> (known: [(index: Int, id: Int64, length: Int)], fence: UInt32?) {
        let lookup = Statement(
            """
            SELECT u.number, s.id, octet_length(s.body)::int8 FROM unnest($1) WITH ORDINALITY u (name, number)
            JOIN \(prefix)secret s ON s.name = u.name COLLATE "C"
            """)
        lookup.array(.text, count: part.count) { for index in part { lookup.element(secrets[index].name) } }
        let rows = try session.run(opening + [lookup])
        let found = rows[rows.count - 1]
        let known = (0..<found.count).map {
            (
                index: part.lowerBound + Int(found.integer($0, 0)) - 1, id: found.integer($0, 1),
                length: Int(found.integer($0, 2))
            )
        }
        let fence = opening.isEmpty ? nil : UInt32(truncatingIfNeeded: rows[rows.count - 2].integer(0, 0))
        return (known.sorted { $0.index < $1.index }, fence)
    }

    /// Decides about each, and gives the statements that write them.
    private func write(
        _ part: Range<Int>, _ known: [(index: Int, id: Int64, length: Int)], _ tally: inout WriteTally,
        _ counts: inout [UInt32: Int]
    ) throws -> [Statement] {
        var pages = PageImages(store)
        let newCount = part.count - known.count
        var group: [Statement] = []
        if !known.isEmpty {
            group.append(pages.lock(Set(try known.map { try store.slotPlace($0.id).page }).sorted()))
        }
        if newCount > 0 { group.append(pages.claim(newCount)) }
        let rows = try session.run(group)
        if newCount > 0 { try pages.takeClaimed(rows[rows.count - 1]) }
        // A page may be both: what was claimed knows more of it.
        if !known.isEmpty { try pages.takeLocked(rows[0]) }
        if newCount > 0, let more = pages.more(for: newCount) { pages.takeNew(try session.run(more)) }

        var replacements: [Replacement] = []
        try look(at: known, pages) { item, present in
            switch try resolve(item.index, present) {
            case .unchanged: tally.unchanged += 1
            case .keep:
                tally.kept += 1
                tally.keptIndices.append(item.index)
            case .replace:
                let slot = secrets[item.index].slot
                let before = pages.set(present.place, slot)
                if before != 0 { counts[before, default: 0] -= 1 }
                counts[Slot.generation(slot), default: 0] += 1
                tally.replaced += 1
                replacements.append(Replacement(index: item.index, id: item.id))
            }
        }
        let taken = Set(known.map(\.index))
        var additions: [Replacement] = []
        for index in part where !taken.contains(index) {
            let place = try pages.add(secrets[index].slot)
            counts[Slot.generation(secrets[index].slot), default: 0] += 1
            tally.added += 1
            additions.append(Replacement(index: index, id: store.id(place)))
        }
        return pages.writing() + adding(additions) + replacing(replacements)
    }

    /// Calls `body` with what is stored under each known name. Its page is locked: slot and content stay what they are.
    private func look(
        at known: [(index: Int, id: Int64, length: Int)], _ pages: PageImages,
        _ body: ((index: Int, id: Int64, length: Int), StoredSecret) throws -> Void
    ) throws {
        var first = 0
        while first < known.count {
            var end = first + 1
            var bytes = known[first].length
            while end < known.count, end - first < Self.lookedAtTogether,
                bytes + known[end].length <= Self.bytesTogether
            {
                bytes += known[end].length
                end += 1
            }
            let select = Statement(
                """
                SELECT id, name, birth, context,
                    CASE WHEN octet_length(body) <= \(PostgreSQLSecretStore.bodyLimit) THEN body END
                FROM \(prefix)secret WHERE id = ANY($1)
                """
            ).integers(known[first..<end].map(\.id))
            let rows = try session.run(select)
            let byPlace = Dictionary(uniqueKeysWithValues: (0..<rows.count).map { (rows.integer($0, 0), $0) })
            for item in known[first..<end] {
                let name = Array(secrets[item.index].name)
                let place = try store.slotPlace(item.id)
                // Between the lookup and the lock somebody may have deleted it, and another one may lie there.
                guard let row = byPlace[item.id], rows.bytes(row, 1).elementsEqual(name) else {
                    throw ServerFailure(.busy, store.place, "others write '\(store.text(name))' again and again")
                }
                guard let slot = pages.slot(place) else { throw store.noSlot(name, place) }
                try body(
                    item,
                    StoredSecret(
                        place: place, name: name, context: rows.array(row, 3),
                        birth: UInt32(truncatingIfNeeded: rows.integer(row, 2)), slot: slot,
                        body: rows.array(row, 4) ?? []))
            }
            first = end
        }
    }

    private func adding(_ additions: [Replacement]) -> [Statement] {
        guard !additions.isEmpty else { return [] }
        let insert = Statement(
            """
            WITH done AS (
                INSERT INTO \(prefix)secret (id, birth, name, context, body)
                SELECT * FROM unnest($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING 1)
            SELECT \(prefix)expect(count(*), $6, '\(PostgreSQLSchema.Condition.changed)') FROM done
            """)
        return [fill(insert, additions)]
    }

    private func replacing(_ replacements: [Replacement]) -> [Statement] {
        guard !replacements.isEmpty else { return [] }
        let update = Statement(
            """
            WITH done AS (
                UPDATE \(prefix)secret s SET birth = u.birth, context = u.context, body = u.body
                FROM unnest($1, $2, $3, $4, $5) u (id, birth, name, context, body)
                WHERE s.id = u.id AND s.name = u.name COLLATE "C" RETURNING 1)
            SELECT \(prefix)expect(count(*), $6, '\(PostgreSQLSchema.Condition.changed)') FROM done
            """)
        return [
            fill(update, replacements),
            Statement("DELETE FROM \(prefix)quarantine WHERE id = ANY($1)").integers(replacements.map(\.id)),
        ]
    }

    private func fill(_ statement: Statement, _ items: [Replacement]) -> Statement {
        statement.integers(items.map(\.id))
        statement.integers(items.map { Int64(secrets[$0.index].birth) })
        statement.array(.text, count: items.count) { for item in items { statement.element(secrets[item.index].name) } }
        statement.array(.bytes, count: items.count) {
            for item in items {
                if let context = secrets[item.index].context {
                    statement.element(context)
                } else {
                    statement.nullElement()
                }
            }
        }
        statement.array(.bytes, count: items.count) {
            for item in items { statement.element(secrets[item.index].body) }
        }
        return statement.integer(Int64(items.count))
    }
}

extension PageImages {
    /// Takes over locked pages, but for those that were claimed as well.
    mutating func takeLocked(_ rows: Rows) throws {
        var left: [Int] = []
        for row in 0..<rows.count where !contains(rows.integer(row, 0)) { left.append(row) }
        try take(rows, left)
    }
}
