import PostgreSQL

/// Single secrets and listings.
extension PostgreSQLSecretStore {
    /// A body longer than any that keyroll writes is not read.
    static let bodyLimit = StoreLimits.plaintext + 1024

    /// As ``SecretStore`` says.
    public func secret(named name: [UInt8]) throws -> StoredSecret? {
        try read { session in
            // One statement sees one snapshot: slot and content belong together.
            let rows = try session.run(
                Statement(
                    """
                    SELECT s.id, s.birth, s.context,
                        CASE WHEN octet_length(s.body) <= \(Self.bodyLimit) THEN s.body END, p.slots
                    FROM \(schema.prefix)secret s
                    LEFT JOIN \(schema.prefix)key_page p ON p.page = s.id / \(slotsPerPage)
                    WHERE s.name = $1
                    """
                ).text(utf8: name))
            guard rows.count > 0 else { return nil }
            let place = try slotPlace(rows.integer(0, 0))
            guard !rows.isNull(0, 4) else { throw noSlot(name, place) }
            let slots = try page(rows, 0, 4, number: place.page)
            return StoredSecret(
                place: place, name: name, context: rows.array(0, 2),
                birth: UInt32(truncatingIfNeeded: rows.integer(0, 1)), slot: slot(slots, place.slot),
                body: rows.array(0, 3) ?? [])
        }
    }

    func slot(_ slots: UnsafeRawBufferPointer, _ index: Int) -> [UInt8] {
        Array(slots[index * Slot.length..<(index + 1) * Slot.length])
    }

    func noSlot(_ name: [UInt8], _ place: SlotPlace) -> StoreError {
        StoreError(
            .damaged,
            "\(self.place): secret '\(text(name))' has no slot on key page \(place.page); run keyroll doctor")
    }

    /// As ``SecretStore`` says.
    public func name(at place: SlotPlace) throws -> String? {
        try read { session in
            let rows = try session.run(
                Statement("SELECT name FROM \(schema.prefix)secret WHERE id = $1").integer(id(place)))
            return rows.count > 0 ? rows.text(0, 0) : nil
        }
    }

    /// As ``SecretStore`` says.
    public func list(after name: [UInt8]?, prefix: [UInt8], limit: Int) throws -> [SecretSummary] {
        try read { session in
            let (after, pattern) = (name ?? [], Self.pattern(prefix))
            let select = Statement("").text(Self.textual(after))
            var conditions = [Self.isTextual(after) ? "name > $1" : "name >= $1"]
            func condition(_ sql: String, _ add: (Statement) -> Void) {
                add(select)
                conditions.append(sql.replacing("?", with: "$\(select.count)"))
            }
            if pattern != "%" { condition("name LIKE ?") { $0.text(pattern) } }
            // Bytes that are no text bound the part of the index that is read only roughly; then they decide themselves.
            if !Self.isTextual(after) { condition("convert_to(name, 'UTF8') > ?") { $0.bytes(after) } }
            if !Self.isTextual(prefix) {
                condition("substring(convert_to(name, 'UTF8') FOR octet_length(?)) = ?") { $0.bytes(prefix) }
            }
            select.integer(Int64(limit))
            // The names first, from their index; only then what belongs to them.
            select.sql = """
                SELECT s.name, substring(p.slots FROM (s.id % \(slotsPerPage))::int4 * \(Slot.length) + 1 FOR 4),
                    s.birth, octet_length(s.body)
                FROM (SELECT name, id, birth, body FROM \(schema.prefix)secret
                    WHERE \(conditions.joined(separator: " AND ")) ORDER BY name LIMIT $\(select.count)) s
                LEFT JOIN \(schema.prefix)key_page p ON p.page = s.id / \(slotsPerPage) ORDER BY s.name
                """
            let rows = try session.run(select)
            return (0..<rows.count).map { row in
                let generation = rows.bytes(row, 1)
                return SecretSummary(
                    name: rows.text(row, 0) ?? "",
                    generation: generation.count == 4 ? Slot.generation(generation.baseAddress!) : 0,
                    birth: UInt32(truncatingIfNeeded: rows.integer(row, 2)), bodyLength: Int(rows.integer(row, 3)))
            }
        }
    }

    private static func isTextual(_ bytes: [UInt8]) -> Bool { textual(bytes).utf8.count == bytes.count }

    /// The longest beginning that a server takes as text: UTF-8 without NUL.
    private static func textual(_ bytes: [UInt8]) -> String {
        var part = bytes.prefix { $0 != 0 }
        while true {
            if let text = String(validating: part, as: UTF8.self) { return text }
            part = part.dropLast()
        }
    }

    /// A pattern for `LIKE`, from which the server knows which part of the index to read.
    private static func pattern(_ prefix: [UInt8]) -> String {
        var pattern = ""
        for character in textual(prefix).unicodeScalars {
            if "%_\\".unicodeScalars.contains(character) { pattern += "\\" }
            pattern.unicodeScalars.append(character)
        }
        return pattern + "%"
    }
}
