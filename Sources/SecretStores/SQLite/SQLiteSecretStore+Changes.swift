import Databases

/// Put, import, remove and rename.
extension SQLiteSecretStore {
    /// As ``SecretStore`` says.
    public func write(
        _ secrets: UnsafeBufferPointer<PendingSecret>, under mark: GenerationMark,
        resolve: (Int, StoredSecret) throws -> ConflictDecision
    ) throws -> WriteTally {
        try change { database, statements in
            try self.admit(mark, statements)
            let rows = try SecretRows(database, path: place)
            let allocator = try SlotAllocator(database, slotsPerPage: slotsPerPage, path: place)
            let lookup = try LookupStatements(database, path: place)
            var tally = WriteTally()
            var counts: [UInt32: Int] = [:]
            for (index, secret) in secrets.enumerated() {
                var known: StoredSecret?
                while known == nil {
                    let place = try allocator.nextPlace()
                    if try rows.insert(secret, id: id(place)) {
                        allocator.take(secret.slot)
                        break
                    }
                    // The page in work may hold the other secret's slot, and two lines of one import may have one name.
                    try allocator.flush()
                    known = try stored(lookup, name: Array(secret.name))
                    // Not the name but the place is taken: its slot was cleared from outside while its content is there.
                    if known == nil { allocator.passOver() }
                }
                guard let present = known else {
                    tally.added += 1
                    counts[mark.number, default: 0] += 1
                    continue
                }
                switch try resolve(index, present) {
                case .unchanged: tally.unchanged += 1
                case .keep:
                    tally.kept += 1
                    tally.keptIndices.append(index)
                case .replace:
                    try rows.replace(secret, id: id(present.place))
                    let before = try allocator.overwrite(present.place, with: secret.slot)
                    if before != 0 { counts[before, default: 0] -= 1 }
                    counts[mark.number, default: 0] += 1
                    tally.replaced += 1
                }
            }
            try allocator.flush()
            for (generation, change) in counts { try statements.count(generation, change) }
            return tally
        }
    }

    /// As ``SecretStore`` says.
    public func remove(named name: [UInt8]) throws -> Bool {
        try change { database, statements in
            guard let present = try self.place(of: name, database) else { return false }
            let rows = try SecretRows(database, path: self.place)
            let allocator = try SlotAllocator(database, slotsPerPage: slotsPerPage, path: self.place)
            try rows.delete(id: id(present))
            let generation = try allocator.release(present)
            try database.execute("UPDATE key_page SET free = free + 1 WHERE page = ?", [present.page])
            if generation != 0 { try statements.count(generation, -1) }
            return true
        }
    }

    /// As ``SecretStore`` says.
    public func rename(
        _ old: [UInt8], to new: [UInt8], under mark: GenerationMark,
        renew: (StoredSecret, (PendingSecret) throws -> Void) throws -> Void
    ) throws {
        try change { database, statements in
            try self.admit(mark, statements)
            guard let present = try stored(database, name: old) else {
                throw StoreError(.noSuchSecret, "no secret is named '\(text(old))'")
            }
            guard try place(of: new, database) == nil else {
                throw StoreError(.exists, "there is a secret named '\(text(new))' already; remove it first")
            }
            let rows = try SecretRows(database, path: self.place)
            let allocator = try SlotAllocator(database, slotsPerPage: slotsPerPage, path: self.place)
            try renew(present) { secret in
                try rows.replace(secret, id: id(present.place))
                let before = try allocator.overwrite(present.place, with: secret.slot)
                if before != 0 { try statements.count(before, -1) }
                try statements.count(mark.number, 1)
            }
        }
    }

    /// Lets a generation write: not below the fence; above it, the fence rises with it, since the ring that the
    /// writer holds is newer than the last job that was here.
    private func admit(_ mark: GenerationMark, _ statements: SQLiteWriter.Statements) throws {
        let fence = try statements.presentFence()
        guard mark.number >= fence else {
            throw StoreError(
                .fenced(fence: fence),
                "\(place): generation \(mark.number) may not protect here any more, generation \(fence) does")
        }
        try statements.raise(to: mark, from: fence)
    }

    func id(_ place: SlotPlace) -> Int64 { place.page * Int64(slotsPerPage) + Int64(place.slot) }

    /// - Throws: ``StoreError`` with `damaged` for a number that is no place.
    func slotPlace(_ id: Int64) throws -> SlotPlace {
        guard id >= Int64(slotsPerPage), id / Int64(slotsPerPage) <= SQLiteSchema.maximumPage else {
            throw StoreError(
                .damaged, "\(place): a content has the number \(id), which is no place; run: keyroll doctor")
        }
        return SlotPlace(page: id / Int64(slotsPerPage), slot: Int(id % Int64(slotsPerPage)))
    }

    func text(_ name: [UInt8]) -> String { String(decoding: name, as: UTF8.self) }
}

/// The statements on contents, prepared once for each transaction that changes some.
struct SecretRows {
    private let insertion: RawStatement
    private let replacement: RawStatement
    private let deletion: RawStatement
    private let release: RawStatement

    init(_ database: Database, path: String) throws {
        insertion = try RawStatement("INSERT INTO secret VALUES (?1, ?2, ?3, ?4, ?5)", database, path: path)
        replacement = try RawStatement(
            "UPDATE secret SET name = ?2, birth = ?3, context = ?4, body = ?5 WHERE id = ?1", database, path: path)
        deletion = try RawStatement("DELETE FROM secret WHERE id = ?1", database, path: path)
        release = try RawStatement("DELETE FROM quarantine WHERE id = ?1", database, path: path)
    }

    func insert(_ secret: PendingSecret, id: Int64) throws -> Bool {
        bind(secret, id, insertion)
        return try insertion.runUnlessConflict()
    }

    func replace(_ secret: PendingSecret, id: Int64) throws {
        bind(secret, id, replacement)
        try replacement.run()
        try leaveQuarantine(id)
    }

    func delete(id: Int64) throws {
        deletion.bind(1, id)
        try deletion.run()
        try leaveQuarantine(id)
    }

    private func leaveQuarantine(_ id: Int64) throws {
        release.bind(1, id)
        try release.run()
    }

    @inline(__always)
    private func bind(_ secret: PendingSecret, _ id: Int64, _ statement: RawStatement) {
        statement.bind(1, id)
        statement.bind(2, text: secret.name)
        statement.bind(3, Int64(secret.birth))
        if let context = secret.context { statement.bind(4, blob: context) } else { statement.bindNull(4) }
        statement.bind(5, blob: secret.body)
    }
}
