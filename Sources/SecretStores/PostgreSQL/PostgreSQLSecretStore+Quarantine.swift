import Files
import PostgreSQL

/// A slot that goes on the quarantine's list.
struct FailingSlot {
    var id: Int64
    var place: SlotPlace
    var generation: UInt32
    var reason: FailureReason
}

/// The quarantine's list.
extension PostgreSQLSecretStore {
    /// Adds secrets, or says again of those that are there already.
    func quarantining(_ failing: [FailingSlot], job: String) -> Statement {
        let insert = Statement(
            """
            INSERT INTO \(schema.prefix)quarantine AS q
            SELECT u.id, coalesce(s.name, u.place), u.generation, u.reason, $5, $6, $6, NULL
            FROM unnest($1, $2, $3, $4) u (id, place, generation, reason)
            LEFT JOIN \(schema.prefix)secret s ON s.id = u.id
            ON CONFLICT (id) DO UPDATE SET
                name = excluded.name, generation = excluded.generation, reason = excluded.reason, job = excluded.job,
                last_seen = excluded.last_seen,
                accepted = CASE WHEN q.generation = excluded.generation AND q.reason = excluded.reason
                    THEN q.accepted END
            """)
        // One that is met twice in a batch is one entry; the last word counts.
        let failing = Dictionary(failing.map { ($0.id, $0) }, uniquingKeysWith: { $1 }).values.sorted { $0.id < $1.id }
        insert.integers(failing.map(\.id))
        texts(insert, failing.map { "(no content: key page \($0.place.page), slot \($0.place.slot))" })
        insert.integers(failing.map { Int64($0.generation) })
        texts(insert, failing.map(\.reason.rawValue))
        return insert.text(job).integer(Timestamp.now.rawValue)
    }

    private func texts(_ statement: Statement, _ values: [String]) {
        statement.array(.text, count: values.count) {
            for value in values { Array(value.utf8).withUnsafeBytes { statement.element($0) } }
        }
    }

    private static let columns = "id, name, generation, reason, job, first_seen, last_seen, accepted"

    private func entry(_ rows: Rows, _ row: Int) throws -> QuarantineEntry {
        guard let name = rows.text(row, 1), let generation = UInt32(exactly: rows.integer(row, 2)),
            let job = rows.text(row, 4)
        else { throw StoreError(.damaged, "\(place): the quarantine is not what keyroll writes; run: keyroll doctor") }
        return try QuarantineEntry(
            place: slotPlace(rows.integer(row, 0)), name: name, generation: generation,
            reason: rows.text(row, 3).flatMap(FailureReason.init(rawValue:)) ?? .malformed, job: job,
            firstSeen: Timestamp(rawValue: rows.integer(row, 5)), lastSeen: Timestamp(rawValue: rows.integer(row, 6)),
            accepted: rows.text(row, 7))
    }

    /// As ``SecretStore`` says.
    public func quarantine(limit: Int) throws -> [QuarantineEntry] {
        let rows = try read {
            try $0.run(
                Statement(
                    """
                    SELECT \(Self.columns) FROM \(schema.prefix)quarantine ORDER BY accepted IS NOT NULL, id LIMIT $1
                    """
                ).integer(Int64(max(0, limit))))
        }
        return try (0..<rows.count).map { try entry(rows, $0) }
    }

    /// As ``SecretStore`` says.
    public func openQuarantineCount() throws -> Int64 {
        try read {
            try $0.run("SELECT count(*) FROM \(schema.prefix)quarantine WHERE accepted IS NULL").integer(0, 0)
        }
    }

    /// As ``SecretStore`` says.
    public func quarantineByGeneration() throws -> [UInt32: QuarantineCount] {
        let rows = try read {
            try $0.run(
                """
                SELECT generation, count(*) - count(accepted), count(accepted) FROM \(schema.prefix)quarantine
                GROUP BY generation
                """)
        }
        var counts: [UInt32: QuarantineCount] = [:]
        for row in 0..<rows.count {
            guard let number = UInt32(exactly: rows.integer(row, 0)) else {
                throw StoreError(.damaged, "\(place): the quarantine is not what keyroll writes; run: keyroll doctor")
            }
            counts[number] = QuarantineCount(open: rows.integer(row, 1), accepted: rows.integer(row, 2))
        }
        return counts
    }

    /// As ``SecretStore`` says.
    public func quarantined(_ name: String) throws -> QuarantineEntry? {
        let rows = try read {
            try $0.run(
                Statement("SELECT \(Self.columns) FROM \(schema.prefix)quarantine WHERE name = $1").text(name))
        }
        return rows.count > 0 ? try entry(rows, 0) : nil
    }

    /// As ``SecretStore`` says.
    public func quarantineCount(except generation: UInt32) throws -> Int64 {
        try read {
            try $0.run(
                Statement("SELECT count(*) FROM \(schema.prefix)quarantine WHERE generation <> $1")
                    .integer(Int64(generation))
            ).integer(0, 0)
        }
    }

    /// As ``SecretStore`` says.
    public func acceptQuarantined(_ name: String, reason: String) throws -> Bool {
        try changeQuarantine(
            Statement("UPDATE \(schema.prefix)quarantine SET accepted = $2 WHERE name = $1").text(name).text(reason))
            > 0
    }

    /// As ``SecretStore`` says.
    public func clearQuarantine(of generation: UInt32) throws {
        _ = try changeQuarantine(
            Statement("DELETE FROM \(schema.prefix)quarantine WHERE accepted IS NULL AND generation = $1")
                .integer(Int64(generation)))
    }

    /// As ``SecretStore`` says.
    public func clearQuarantine() throws {
        _ = try changeQuarantine(Statement("DELETE FROM \(schema.prefix)quarantine WHERE accepted IS NULL"))
    }

    /// - Returns: how many rows were changed.
    private func changeQuarantine(_ statement: Statement) throws -> Int {
        try change { session in
            let rows = try session.run(opening(.full) + [statement, Self.commit])
            return rows[rows.count - 2].changed
        }
    }
}
