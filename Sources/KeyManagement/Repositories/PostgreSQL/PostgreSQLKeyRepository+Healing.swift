import PostgreSQL

extension PostgreSQLKeyRepository {
    /// Puts damaged rows aside and writes the good one in their place; older ones are brought up.
    ///
    /// Operators may; where the row itself is gone, or its policy was altered, it takes an owner.
    public func heal(with stored: StoredRing, replacing places: [String], isAuthentic: (StoredRing) -> Bool) throws {
        try change { session in
            // Until this is done nobody commits.
            try session.run(
                Statement("SELECT FROM \(ring.table("ring")) WHERE group_name = $1 FOR UPDATE").text(ring.group))
            let found = try read(session.run(select(Self.copies)))
            let copies = Self.copies.map { (table: $0, content: found[$0]) }
            let present = copies.compactMap { try? $0.content?.get() }
            // Somebody went further meanwhile, perhaps under another root key: the next one who reads mends what is left.
            guard !present.contains(where: { isAhead($0, of: stored, isAuthentic) }) else { return }
            var isWanted = false
            for copy in copies where places.contains(place(copy.table)) {
                if case .success(let content)? = copy.content, isAuthentic(content) {
                    isWanted = isWanted || content.sequence < stored.sequence
                } else {
                    isWanted = true
                    try session.run(putAside(copy.table, "damaged"))
                }
            }
            guard isWanted else { return }
            // The trigger brings the second copy up.
            let overwritten = try session.run(add(stored, to: overwriting(stored, "group_identity = $4")))
            if overwritten.changed == 0 {
                // The row is gone, or says that it is another group's.
                if found["ring"] != nil { try session.run(delete("ring")) }
                try insertAnew(stored, session)
            }
            let now = try read(session.run(select(Self.copies)))
            guard Self.copies.allSatisfy({ (try? now[$0]?.get()) == stored }) else {
                throw KeyManagementError(.ringNotAuthentic, "\(place): what was read back is not what was written")
            }
            try session.run("COMMIT")
        }
    }

    private func isAhead(_ present: StoredRing, of stored: StoredRing, _ isAuthentic: (StoredRing) -> Bool) -> Bool {
        present.sequence > stored.sequence && (isAuthentic(present) || present.rootKeyCheck != stored.rootKeyCheck)
    }

    func delete(_ table: String) -> Statement {
        Statement("DELETE FROM \(ring.table(table)) WHERE group_name = $1").text(ring.group)
    }

    func insertAnew(_ stored: StoredRing, _ session: Session) throws {
        let parameters = (1...RingTables.columns.count).map { "$\($0 + 1)" }.joined(separator: ", ")
        let statement = Statement(
            "INSERT INTO \(ring.table("ring")) (group_name, \(RingTables.list)) VALUES ($1, \(parameters))",
            room: stored.document.count + 1024)
        try session.run(add(stored, to: statement.text(ring.group)))
    }

    func putAside(_ table: String, _ reason: String) -> Statement {
        Statement(
            """
            INSERT INTO \(ring.table("ring_aside")) (reason, copy, group_name, \(RingTables.list))
            SELECT $2, $3, group_name, \(RingTables.list) FROM \(ring.table(table)) WHERE group_name = $1
            """
        ).text(ring.group).text(reason).text(table)
    }
}
