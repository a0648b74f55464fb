public import PostgreSQL

/// A ring in a PostgreSQL database, which itself decides who may read and who may change it: see ``RingPlace``.
///
/// Two tables hold a copy each. Nothing outlives a transaction, so that PgBouncer may stand before the server.
public struct PostgreSQLKeyRepository: KeyRepository {
    let pool: SessionPool
    /// Schema, group and roles.
    public let ring: RingPlace
    /// Where it is, for messages.
    public let place: String

    /// The copies' tables.
    static let copies = ["ring", "ring_copy"]

    /// - Parameters:
    ///   - address: the server and its database.
    ///   - ring: where in it the ring lies.
    public init(_ address: ServerAddress, _ ring: RingPlace) {
        pool = SessionPool(address)
        self.ring = ring
        place =
            "\(address.connection.isEmpty ? "postgres" : address.connection), ring of group \(ring.group) in \(ring.schema)"
    }

    /// A copy's name, for messages and for ``heal(with:replacing:isAuthentic:)``.
    func place(_ table: String) -> String { "\(place).\(table)" }

    // MARK: Reading

    /// Reads both copies in one statement, so that they are of one moment.
    ///
    /// - Throws: `ServerFailure` with `notPermitted` where the server hides the ring from this role, and `missing` where
    ///   there is none.
    public func load() throws -> [RingCopy] {
        let found: [String: Result<StoredRing, any Error>]
        do {
            found = try pool.withSession { session in try read(session.run(select(Self.copies))) }
        } catch let failure as ServerFailure where failure.isDamage {
            found = try readEach()
        } catch { throw explained(error, needing: ring.reader) }
        guard !found.isEmpty else { throw nothingThere() }
        return Self.copies.map { table in
            RingCopy(place: place(table), content: found[table] ?? .failure(missing(table)))
        }
    }

    /// Where the server cannot read a page of one table, the other may still be whole.
    private func readEach() throws -> [String: Result<StoredRing, any Error>] {
        var found: [String: Result<StoredRing, any Error>] = [:]
        for table in Self.copies {
            do {
                let rows = try pool.withSession { try read($0.run(select([table]))) }
                found[table] = rows[table]
            } catch let failure as ServerFailure where failure.isDamage {
                found[table] = .failure(KeyManagementError(.ringNotAuthentic, "\(place(table)): \(failure.detail)"))
            }
        }
        return found
    }

    func missing(_ table: String) -> KeyManagementError {
        KeyManagementError(.ringNotAuthentic, "\(place(table)): this copy of the ring is not there")
    }

    func select(_ tables: [String]) -> Statement {
        let parts = tables.map {
            "SELECT '\($0)'::text, \(RingTables.list) FROM \(ring.table($0)) WHERE group_name = $1"
        }
        return Statement(parts.joined(separator: " UNION ALL ")).text(ring.group)
    }

    /// The copies by table.
    func read(_ rows: Rows) -> [String: Result<StoredRing, any Error>] {
        var found: [String: Result<StoredRing, any Error>] = [:]
        for row in 0..<rows.count {
            guard let table = rows.text(row, 0) else { continue }
            found[table] = Result { try stored(rows, row, table) }
        }
        return found
    }

    private func stored(_ rows: Rows, _ row: Int, _ table: String) throws -> StoredRing {
        let format = rows.integer(row, 1)
        guard format == RingTables.format else {
            throw KeyManagementError(
                .newerFormat, "\(place(table)) was written by a newer keyroll (format \(format)); install that one")
        }
        func bytes(_ column: Int) throws -> [UInt8] {
            guard let bytes = rows.array(row, column) else { throw missing(table) }
            return bytes
        }
        guard let sequence = UInt64(exactly: rows.integer(row, 2)) else {
            throw KeyManagementError(.ringNotAuthentic, "\(place(table)): the ring's row is not what keyroll writes")
        }
        let stored = try StoredRing(
            sequence: sequence, group: bytes(3), rootKeyCheck: bytes(4), rootKeyParameters: bytes(5),
            document: bytes(6), mac: bytes(7))
        // The server guards and shows the columns, and cannot look into the document: they have to say the same.
        let document = try Ring(decoding: stored.document, from: place(table), takesOlder: true)
        guard rows.text(row, 8) == RingDisclosure.text(document.policy) else {
            throw KeyManagementError(
                .ringNotAuthentic,
                "\(place(table)): the ring holds another policy than the one that the server guards: somebody who may not change it tried to"
            )
        }
        guard rows.text(row, 9) == RingDisclosure.text(document.generations) else {
            throw KeyManagementError(
                .ringNotAuthentic,
                "\(place(table)): the ring holds other generations than those that the server shows to auditors")
        }
        return stored
    }

    // MARK: Changing

    /// Stores a ring, compare-and-swap by sequence number, and reads both copies back before the transaction ends.
    ///
    /// - Throws: ``KeyManagementError`` with `changedMeanwhile` or `exists`; `ServerFailure` with `notPermitted` where
    ///   the server does not let this role; nothing was then changed.
    public func commit(_ ring: StoredRing, replacing replaced: UInt64?) throws {
        do {
            try change { session in
                try write(ring, replacing: replaced, session)
                try session.run("COMMIT")
            }
        } catch let failure as ServerFailure where failure.code == .duplicate { throw exists } catch {
            throw explained(error, needing: replaced == nil ? self.ring.owner : self.ring.operator)
        }
    }

    /// A transaction that others cannot keep waiting for ever. `body` ends it.
    func change<R>(_ body: (Session) throws -> R) throws -> R {
        try pool.transaction { session in
            try session.run([
                Statement("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"),
                // Never less durable than this, whatever the role's settings say; more is left as it is.
                Statement(
                    """
                    SELECT set_config('lock_timeout', '5s', true), set_config('synchronous_commit',
                        CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)
                    """),
            ])
            return try body(session)
        }
    }

    private var exists: KeyManagementError {
        KeyManagementError(.exists, "\(place) exists already; a ring is never overwritten")
    }

    private func write(_ stored: StoredRing, replacing replaced: UInt64?, _ session: Session) throws {
        let statement = try replaced.map { try update(stored, replacing: $0) } ?? insert(stored)
        let answers = try session.run([statement, select(Self.copies)])
        let found = read(answers[1])
        guard answers[0].changed == 1 else {
            guard replaced != nil else { throw exists }
            if found.isEmpty { throw nothingThere() }
            // A row that is still the old one was not changed because the server did not let us.
            if case .success(let present)? = found["ring"], present.sequence == replaced,
                let refusal = refusal(needing: ring.operator)
            {
                throw refusal
            }
            throw KeyManagementError(.changedMeanwhile, "\(place): another process changed the ring; run it again")
        }
        for table in Self.copies {
            guard case .success(let read)? = found[table], read == stored else {
                throw KeyManagementError(
                    .ringNotAuthentic, "\(place(table)): what was read back is not what was written")
            }
        }
    }

    /// Where nothing is yet, not even a second copy.
    private func insert(_ stored: StoredRing) throws -> Statement {
        let parameters = (1...RingTables.columns.count).map { "$\($0 + 1)" }.joined(separator: ", ")
        let statement = Statement(
            """
            INSERT INTO \(ring.table("ring")) (group_name, \(RingTables.list)) SELECT $1, \(parameters)
            WHERE NOT EXISTS (SELECT FROM \(ring.table("ring_copy")) WHERE group_name = $1)
            """, room: stored.document.count + 1024)
        return try add(stored, to: statement.text(ring.group))
    }

    private func update(_ stored: StoredRing, replacing replaced: UInt64) throws -> Statement {
        let statement = overwriting(
            stored, "group_identity = $4 AND sequence = $\(RingTables.columns.count + 2)")
        return try add(stored, to: statement).integer(Int64(clamping: replaced))
    }

    /// Sets everything but the group's identity, which never changes.
    func overwriting(_ stored: StoredRing, _ condition: String) -> Statement {
        let changes = RingTables.columns.enumerated().filter { $0.element != "group_identity" }
            .map { "\($0.element) = $\($0.offset + 2)" }.joined(separator: ", ")
        return Statement(
            "UPDATE \(ring.table("ring")) SET \(changes) WHERE group_name = $1 AND \(condition)",
            room: stored.document.count + 1024
        ).text(ring.group)
    }

    /// Adds the columns' values.
    @discardableResult
    func add(_ stored: StoredRing, to statement: Statement) throws -> Statement {
        let document = try Ring(decoding: stored.document, from: place, takesOlder: true)
        return statement.integer(RingTables.format).integer(Int64(clamping: stored.sequence)).bytes(stored.group)
            .bytes(stored.rootKeyCheck).bytes(stored.rootKeyParameters).bytes(stored.document).bytes(stored.mac)
            .text(RingDisclosure.text(document.policy)).text(RingDisclosure.text(document.generations))
    }
}

extension ServerFailure {
    /// Pages that contradict each other, or that the disk does not give.
    var isDamage: Bool { code == .inputOutput && (state.hasPrefix("XX") || state.hasPrefix("58")) }
}
