import PostgreSQL

/// Put, import, remove and rename.
extension PostgreSQLSecretStore {
    /// As ``SecretStore`` says.
    public func write(
        _ secrets: UnsafeBufferPointer<PendingSecret>, under mark: GenerationMark,
        resolve: (Int, StoredSecret) throws -> ConflictDecision
    ) throws -> WriteTally {
        let tally = try withFence(at: mark) {
            raises in
            try change { session in
                try withoutActuallyEscaping(resolve) { resolve in
                    try PostgreSQLWrite(store: self, session: session, secrets: secrets, resolve: resolve).run(
                        opening(.full, raising: raises ? mark : nil, fence: (mark.number, false)), under: mark.number)
                }
            }
        }
        foldNowAndThen()
        return tally
    }

    /// Runs `body`; where the fence stands below `mark`, again with the fence to be raised: the ring that the writer holds
    /// is newer than the last job that was here.
    private func withFence<R>(at mark: GenerationMark, _ body: (_ raises: Bool) throws -> R) throws -> R {
        do { return try body(false) } catch is PostgreSQLWrite.FenceBelow { return try body(true) }
    }

    /// Each change leaves a row or two among the counters, and jobs that fold them may come once a night.
    private func foldNowAndThen() {
        guard UInt16.random(in: 0..<2048) == 0 else { return }
        // What was asked for is committed; this can wait.
        try? foldCensus()
    }

    /// As ``SecretStore`` says.
    public func remove(named name: [UInt8]) throws -> Bool {
        let isRemoved = try change { session -> Bool in
            let found = try session.run(opening(.full, fence: (.max, false)) + [place(of: name)])
            guard let id = found.last.flatMap({ $0.count > 0 ? $0.integer(0, 0) : nil }) else {
                try session.run([Self.commit])
                return false
            }
            let slotPlace = try slotPlace(id)
            var pages = PageImages(self)
            try pages.take(session.run(pages.lock([slotPlace.page])))
            // A page that is gone keeps nobody from removing what is left.
            let generation = pages.clear(slotPlace)
            let delete = Statement(
                """
                WITH done AS (DELETE FROM \(schema.prefix)secret WHERE id = $1 AND name = $2 RETURNING 1)
                SELECT \(schema.prefix)expect(count(*), 1, '\(PostgreSQLSchema.Condition.changed)') FROM done
                """
            ).integer(id).text(utf8: name)
            let release = Statement("DELETE FROM \(schema.prefix)quarantine WHERE id = $1").integer(id)
            try session.run(
                pages.writing() + [delete, release] + counting(generation == 0 ? [:] : [generation: -1])
                    + [Self.commit])
            return true
        }
        if isRemoved { foldNowAndThen() }
        return isRemoved
    }

    private func place(of name: [UInt8]) -> Statement {
        Statement("SELECT id FROM \(schema.prefix)secret WHERE name = $1").text(utf8: name)
    }

    /// As ``SecretStore`` says.
    public func rename(
        _ old: [UInt8], to new: [UInt8], under mark: GenerationMark,
        renew: (StoredSecret, (PendingSecret) throws -> Void) throws -> Void
    ) throws {
        try withFence(at: mark) { raises in
            try change { session in
                let rows = try session.run(
                    opening(.full, raising: raises ? mark : nil, fence: (mark.number, false)) + [
                        place(of: old), place(of: new),
                    ])
                let (fence, oldRows, newRows) = (rows[rows.count - 3], rows[rows.count - 2], rows[rows.count - 1])
                guard fence.integer(0, 0) >= Int64(mark.number) else { throw PostgreSQLWrite.FenceBelow() }
                guard oldRows.count > 0 else {
                    throw StoreError(.noSuchSecret, "no secret is named '\(text(old))'")
                }
                guard newRows.count == 0 else {
                    throw StoreError(.exists, "there is a secret named '\(text(new))' already; remove it first")
                }
                try rename(old, id: oldRows.integer(0, 0), session, renew: renew)
            }
        }
    }

    private func rename(
        _ old: [UInt8], id: Int64, _ session: Session,
        renew: (StoredSecret, (PendingSecret) throws -> Void) throws -> Void
    ) throws {
        let slotPlace = try slotPlace(id)
        var pages = PageImages(self)
        let rows = try session.run([
            pages.lock([slotPlace.page]),
            Statement("SELECT name, birth, context, body FROM \(schema.prefix)secret WHERE id = $1").integer(id),
        ])
        try pages.take(rows[0])
        guard rows[1].count > 0, rows[1].bytes(0, 0).elementsEqual(old) else {
            throw ServerFailure(.busy, place, "others write '\(text(old))' again and again")
        }
        guard let slot = pages.slot(slotPlace) else { throw noSlot(old, slotPlace) }
        let present = StoredSecret(
            place: slotPlace, name: old, context: rows[1].array(0, 2),
            birth: UInt32(truncatingIfNeeded: rows[1].integer(0, 1)), slot: slot, body: rows[1].array(0, 3) ?? [])
        var statements: [Statement] = []
        var name = old
        try renew(present) { secret in
            name = Array(secret.name)
            let before = pages.set(slotPlace, secret.slot)
            var counts: [UInt32: Int] = [Slot.generation(secret.slot): 1]
            if before != 0 { counts[before, default: 0] -= 1 }
            let update = Statement(
                """
                WITH done AS (
                    UPDATE \(schema.prefix)secret SET name = $2, birth = $3, context = $4, body = $5 WHERE id = $1
                    RETURNING 1)
                SELECT \(schema.prefix)expect(count(*), 1, '\(PostgreSQLSchema.Condition.changed)') FROM done
                """, room: secret.body.count + 2048
            ).integer(id).text(utf8: name).integer(Int64(secret.birth)).bytes(secret.context).bytes(secret.body)
            let release = Statement("DELETE FROM \(schema.prefix)quarantine WHERE id = $1").integer(id)
            statements = pages.writing() + [update, release] + counting(counts)
        }
        do { try session.run(statements + [Self.commit]) } catch let failure as ServerFailure
            where failure.code == .duplicate
        {
            throw StoreError(.exists, "there is a secret named '\(text(name))' already; remove it first")
        }
    }
}
