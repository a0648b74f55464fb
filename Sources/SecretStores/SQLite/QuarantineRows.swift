import Databases
import Files

/// The quarantine's rows.
enum QuarantineRows {
    /// Adds a secret, or says again of one that is there already.
    static func add(
        _ place: SlotPlace, id: Int64, generation: UInt32, reason: FailureReason, job: String, at moment: Timestamp,
        _ database: Database
    ) throws {
        let name =
            try database.text("SELECT name FROM secret WHERE id = ?", [id])
            ?? "(no content: key page \(place.page), slot \(place.slot))"
        try database.execute(
            """
            INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO UPDATE SET
                name = excluded.name, generation = excluded.generation, reason = excluded.reason,
                job = excluded.job, last_seen = excluded.last_seen,
                accepted = iif(generation = excluded.generation AND reason = excluded.reason, accepted, NULL)
            """,
            [
                id, name, Int64(generation), reason.rawValue, job, moment.rawValue, moment.rawValue,
            ])
    }

    /// Takes those of a range off the list that are not failing any more.
    static func keep(only failing: Set<Int64>, in range: Range<Int64>, _ database: Database) throws {
        let listed = try database.rows(
            "SELECT id FROM quarantine WHERE id >= ? AND id < ?", [range.lowerBound, range.upperBound]
        ).compactMap { $0.number("id") }
        for id in listed where !failing.contains(id) {
            try database.execute("DELETE FROM quarantine WHERE id = ?", [id])
        }
    }
}

extension SQLiteSecretStore {
    /// As ``SecretStore`` says.
    public func quarantine(limit: Int) throws -> [QuarantineEntry] {
        try read { database in
            try database.rows(
                "SELECT * FROM quarantine ORDER BY accepted IS NOT NULL, id LIMIT ?", [Int64(limit)]
            ).map(entry)
        }
    }

    /// As ``SecretStore`` says.
    public func openQuarantineCount() throws -> Int64 {
        try read { try $0.integer("SELECT count(*) FROM quarantine WHERE accepted IS NULL") ?? 0 }
    }

    /// As ``SecretStore`` says.
    public func quarantineByGeneration() throws -> [UInt32: QuarantineCount] {
        try read { database in
            var counts: [UInt32: QuarantineCount] = [:]
            let rows = try database.rows(
                """
                SELECT generation, count(*) - count(accepted) AS open, count(accepted) AS accepted FROM quarantine
                GROUP BY generation
                """)
            for row in rows {
                guard let number = row.number("generation").flatMap(UInt32.init(exactly:)),
                    let open = row.number("open"), let accepted = row.number("accepted")
                else {
                    throw StoreError(
                        .damaged, "\(place): the quarantine is not what keyroll writes; run: keyroll doctor")
                }
                counts[number] = QuarantineCount(open: open, accepted: accepted)
            }
            return counts
        }
    }

    /// As ``SecretStore`` says.
    public func quarantined(_ name: String) throws -> QuarantineEntry? {
        try read {
            try $0.row("SELECT * FROM quarantine WHERE name = ?", [name]).map(entry)
        }
    }

    private func entry(_ row: Row) throws -> QuarantineEntry {
        guard let id = row.number("id"), let name = row.text("name"),
            let generation = row.number("generation").flatMap(UInt32.init(exactly:)), let job = row.text("job"),
            let first = row.number("first_seen"), let last = row.number("last_seen")
        else { throw StoreError(.damaged, "\(place): the quarantine is not what keyroll writes; run: keyroll doctor") }
        return try QuarantineEntry(
            place: slotPlace(id), name: name, generation: generation,
            reason: row.text("reason").flatMap(FailureReason.init(rawValue:)) ?? .malformed, job: job,
            firstSeen: Timestamp(rawValue: first), lastSeen: Timestamp(rawValue: last), accepted: row.text("accepted"))
    }

    /// As ``SecretStore`` says.
    public func quarantineCount(except generation: UInt32) throws -> Int64 {
        try read {
            try $0.integer("SELECT count(*) FROM quarantine WHERE generation <> ?", [Int64(generation)]) ?? 0
        }
    }

    /// As ``SecretStore`` says.
    public func acceptQuarantined(_ name: String, reason: String) throws -> Bool {
        try change { database, _ in
            try database.execute("UPDATE quarantine SET accepted = ? WHERE name = ?", [reason, name])
            return database.changes > 0
        }
    }

    /// As ``SecretStore`` says.
    public func clearQuarantine(of generation: UInt32) throws {
        try change { database, _ in
            try database.execute(
                "DELETE FROM quarantine WHERE accepted IS NULL AND generation = ?", [Int64(generation)])
        }
    }

    /// As ``SecretStore`` says.
    public func clearQuarantine() throws {
        try change { database, _ in try database.execute("DELETE FROM quarantine WHERE accepted IS NULL") }
    }
}
