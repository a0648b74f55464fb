import PostgreSQL

/// Counters, and counting slot by slot.
extension PostgreSQLSecretStore {
    /// As ``SecretStore`` says.
    public func census() throws -> Census {
        try read { try census($0) }
    }

    func census(_ session: Session) throws -> Census {
        try census(session.run("SELECT generation, sum(change)::int8 FROM \(schema.prefix)census GROUP BY generation"))
    }

    private func census(_ rows: Rows) throws -> Census {
        var counts: [UInt32: Int64] = [:]
        for row in 0..<rows.count {
            guard let number = UInt32(exactly: rows.integer(row, 0)),
                (-(1 << 48)...(1 << 48)).contains(rows.integer(row, 1))
            else { throw StoreError(.damaged, "\(place): a counter is not what keyroll writes; run: keyroll doctor") }
            counts[number] = rows.integer(row, 1)
        }
        return Census(counts)
    }

    /// Adds changes of the counters: rows that are only inserted, so that nobody waits for anybody.
    func counting(_ changes: [UInt32: Int]) -> [Statement] {
        let changes = changes.filter { $0.value != 0 }.sorted { $0.key < $1.key }
        guard !changes.isEmpty else { return [] }
        return [
            Statement("INSERT INTO \(schema.prefix)census SELECT * FROM unnest($1, $2)")
                .integers(changes.map { Int64($0.key) }).integers(changes.map { Int64($0.value) })
        ]
    }

    /// Puts the changes of the counters together, a row a generation.
    func foldCensus() throws {
        try change { session in
            try session.run(
                // Not while somebody counts anew.
                opening(.rewrap, fence: (.max, false)) + [
                    Statement(
                        """
                        WITH gone AS (DELETE FROM \(schema.prefix)census RETURNING generation, change)
                        INSERT INTO \(schema.prefix)census
                        SELECT generation, sum(change) FROM gone GROUP BY generation HAVING sum(change) <> 0
                        """, room: 16), Self.commit,
                ])
        }
    }

    /// As ``SecretStore`` says.
    public func recount() throws -> Census {
        try read { session in
            try session.run(Self.snapshot)
            var counts: [UInt32: Int64] = [:]
            try eachSlot(session) { generation, _ in counts[generation, default: 0] += 1 }
            try session.run([Self.commit])
            return Census(counts)
        }
    }

    /// As ``SecretStore`` says.
    public func slots(of generation: UInt32) throws -> SlotCount {
        try read { session in
            let listed = try session.run([
                Statement(Self.snapshot, room: 16),
                Statement("SELECT id, accepted IS NOT NULL FROM \(schema.prefix)quarantine WHERE generation = $1")
                    .integer(Int64(generation)),
            ])[1]
            // A row of the quarantine counts only where a slot is there that it can be about.
            var accepted: [Int64: Bool] = [:]
            for row in 0..<listed.count { accepted[listed.integer(row, 0)] = listed.bool(row, 1) }
            var count = SlotCount()
            try eachSlot(session) { found, id in
                guard found == generation else { return }
                count.total += 1
                guard !accepted.isEmpty, let isAccepted = accepted[id] else { return }
                if isAccepted { count.accepted += 1 } else { count.quarantined += 1 }
            }
            try session.run([Self.commit])
            return count
        }
    }

    /// Calls `body` with the generation and the place of each slot that is taken. Pages come in parts, so that memory does
    /// not grow with the store.
    func eachSlot(_ session: Session, _ body: (UInt32, Int64) -> Void) throws {
        try eachPage(session) { page, _, slots in
            let first = page * Int64(slotsPerPage)
            for slot in 0..<slotsPerPage {
                let generation = Slot.generation(slots.baseAddress! + slot * Slot.length)
                if generation != 0 { body(generation, first + Int64(slot)) }
            }
        }
    }

    /// Calls `body` with number, `has_room` and bytes of each page.
    func eachPage(
        _ session: Session, _ body: (Int64, Bool, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let select = Statement(
            "SELECT page, slots, has_room FROM \(schema.prefix)key_page WHERE page > $1 ORDER BY page LIMIT 2048")
        var last: Int64 = 0
        while true {
            select.reset()
            let rows = try session.run(select.integer(last))
            guard rows.count > 0 else { return }
            for row in 0..<rows.count {
                last = rows.integer(row, 0)
                try body(last, rows.bool(row, 2), page(rows, row, 1, number: last))
            }
        }
    }

    /// As ``SecretStore`` says.
    public func correctCensus() throws -> Bool {
        try change { session in
            // Nobody who changes secrets is at work meanwhile.
            try session.run(opening(.full) + [exclusive])
            var counts: [UInt32: Int] = [:]
            try eachSlot(session) { generation, _ in counts[generation, default: 0] += 1 }
            guard try census(session) != Census(counts.mapValues { Int64($0) }) else {
                try session.run([Self.commit])
                return false
            }
            try session.run(
                [Statement("DELETE FROM \(schema.prefix)census", room: 16)] + counting(counts) + [Self.commit])
            return true
        }
    }
}
