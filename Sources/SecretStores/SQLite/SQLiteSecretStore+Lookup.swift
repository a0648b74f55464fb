import Databases
import Synchronization

/// Single secrets and listings.
extension SQLiteSecretStore {
    /// As ``SecretStore`` says.
    public func secret(named name: [UInt8]) throws -> StoredSecret? {
        let line = try lookupLine()
        defer { lookups.withLock { $0.give(line) } }
        return try line.use { try stored($0, name: name) }
    }

    private func lookupLine() throws -> LookupLine {
        let (line, isFirst) = lookups.withLock { $0.take() }
        if let line { return line }
        // The first shares the connection that is open already; threads that come beside it get one each.
        let connection = try isFirst ? reader() : Connection(path: place, durability: .full, writeAheadLog: true)
        return try LookupLine(connection, path: place)
    }

    /// Slot and content, inside one transaction of the caller's.
    func stored(_ database: Database, name: [UInt8]) throws -> StoredSecret? {
        try stored(LookupStatements(database, path: place), name: name)
    }

    /// The statements of a lookup, for a transaction that makes many.
    final class LookupStatements {
        let content: RawStatement
        let page: RawStatement

        init(_ database: Database, path: String) throws {
            content = try RawStatement(
                """
                SELECT id, birth, context, CASE WHEN length(body) <= \(StoreLimits.plaintext + 1024) THEN body END
                FROM secret WHERE name = ?1
                """, database, path: path)
            page = try RawStatement("SELECT slots FROM key_page WHERE page = ?1", database, path: path)
        }
    }

    func stored(_ statements: LookupStatements, name: [UInt8]) throws -> StoredSecret? {
        let statement = statements.content
        return try name.withUnsafeBytes { nameBytes in
            defer { statement.reset() }
            statement.bind(1, text: nameBytes)
            guard try statement.step() else { return nil }
            let place = try slotPlace(statement.integer(0))
            guard let slot = try slot(at: place, statements.page) else {
                throw StoreError(
                    .damaged,
                    "\(self.place): secret '\(text(name))' has no slot on key page \(place.page); run keyroll doctor")
            }
            return StoredSecret(
                place: place, name: name, context: statement.isNull(2) ? nil : Array(statement.bytes(2)),
                birth: UInt32(truncatingIfNeeded: statement.integer(1)), slot: slot, body: Array(statement.bytes(3)))
        }
    }

    /// Where a secret's slot lies.
    func place(of name: [UInt8], _ database: Database) throws -> SlotPlace? {
        let statement = try RawStatement("SELECT id FROM secret WHERE name = ?1", database, path: place)
        return try name.withUnsafeBytes { nameBytes in
            statement.bind(1, text: nameBytes)
            return try statement.step() ? try slotPlace(statement.integer(0)) : nil
        }
    }

    private func slot(at place: SlotPlace, _ statement: RawStatement) throws -> [UInt8]? {
        defer { statement.reset() }
        statement.bind(1, place.page)
        guard try statement.step() else { return nil }
        let slots = statement.bytes(0)
        let start = place.slot * Slot.length
        guard start + Slot.length <= slots.count else { return nil }
        return Array(slots[start..<start + Slot.length])
    }

    /// As ``SecretStore`` says.
    public func name(at place: SlotPlace) throws -> String? {
        try read { try name(at: place, $0) }
    }

    func name(at place: SlotPlace, _ database: Database) throws -> String? {
        try database.text("SELECT name FROM secret WHERE id = ?", [id(place)])
    }

    /// As ``SecretStore`` says.
    public func list(after name: [UInt8]?, prefix: [UInt8], limit: Int) throws -> [SecretSummary] {
        try read { database in
            let statement = try RawStatement(
                """
                SELECT name, id, birth, length(body) FROM secret
                WHERE name > ?1 AND name >= ?2 ORDER BY name LIMIT ?3
                """, database, path: place)
            let pages = try RawStatement("SELECT slots FROM key_page WHERE page = ?1", database, path: place)
            var found: [SecretSummary] = []
            try (name ?? []).withUnsafeBytes { after in
                try prefix.withUnsafeBytes { prefixBytes in
                    statement.bind(1, text: after)
                    statement.bind(2, text: prefixBytes)
                    statement.bind(3, Int64(limit))
                    while try statement.step() {
                        let bytes = statement.bytes(0)
                        // The prefix bounds from below in the index; the first name without it ends the listing.
                        guard bytes.starts(with: prefix) else { break }
                        let slot = try slot(at: slotPlace(statement.integer(1)), pages)
                        found.append(
                            SecretSummary(
                                name: String(decoding: bytes, as: UTF8.self),
                                generation: slot.map { $0.withUnsafeBytes { Slot.generation($0.baseAddress!) } } ?? 0,
                                birth: UInt32(truncatingIfNeeded: statement.integer(2)),
                                bodyLength: Int(statement.integer(3))))
                    }
                }
            }
            return found
        }
    }
}
