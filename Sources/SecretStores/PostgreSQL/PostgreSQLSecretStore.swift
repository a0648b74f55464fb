public import Cryptography
public import Files
public import PostgreSQL
import Synchronization

/// A store in a schema of a PostgreSQL database.
public final class PostgreSQLSecretStore: SecretStore {
    /// The schema where nothing else is said.
    public static let usualSchema = "keyroll"

    /// As ``SecretStore`` says.
    public let place: String
    /// As ``SecretStore`` says.
    public let group: Identity
    /// As ``SecretStore`` says.
    public let slotsPerPage: Int
    /// A number that no other store has: of its advisory lock.
    public let number: Int64
    let pool: SessionPool
    let schema: PostgreSQLSchema

    private init(
        _ pool: SessionPool, _ schema: PostgreSQLSchema, place: String, group: Identity, slotsPerPage: Int,
        number: Int64
    ) {
        self.number = number
        self.pool = pool
        self.schema = schema
        self.place = place
        self.group = group
        self.slotsPerPage = slotsPerPage
    }

    // MARK: Making and opening

    /// Makes an empty store.
    ///
    /// - Parameters:
    ///   - address: the server and the database, which has to have the encoding UTF8.
    ///   - name: the schema; it may be there already, without a store in it.
    ///   - group: the group it belongs to for ever.
    /// - Throws: ``StoreError`` with `exists`, `ServerFailure`.
    public static func create(
        _ address: ServerAddress, schema name: String = usualSchema, group: Identity
    ) throws -> PostgreSQLSecretStore {
        let pool = SessionPool(address)
        let schema = PostgreSQLSchema(name)
        return try pool.transaction { session in
            let place = Self.place(session, name)
            try session.run([
                Statement(beginning, room: 16),
                Statement("SELECT set_config('synchronous_commit', 'on', true)", room: 16),
            ])
            guard try session.run("SELECT current_setting('server_encoding')").text(0, 0) == "UTF8" else {
                throw ServerFailure(
                    .configuration, session.place,
                    "the database's encoding is not UTF8; create one with ENCODING 'UTF8'")
            }
            guard try !isThere(session, schema) else {
                throw StoreError(.exists, "\(place): there is a store already; nothing was changed")
            }
            let number = Int64.random(in: .min ... .max)
            let row = Statement("INSERT INTO \(schema.prefix)store VALUES (1, $1, $2, $3, 0, $4)")
                .integer(PostgreSQLSchema.format).bytes(group.bytes).integer(Int64(PostgreSQLSchema.slotsPerPage))
                .integer(number)
            try session.run(schema.creation.map { Statement($0, room: 16) } + [row, Statement("COMMIT")])
            return PostgreSQLSecretStore(
                pool, schema, place: place, group: group, slotsPerPage: PostgreSQLSchema.slotsPerPage, number: number)
        }
    }

    /// Opens a store.
    ///
    /// - Parameters:
    ///   - address: the server and the database.
    ///   - name: the schema.
    ///   - group: the group whose ring is at hand.
    /// - Throws: ``StoreError`` with `otherGroup`, `newerFormat`, `olderFormat` or `damaged`; `ServerFailure`, with
    ///   `missing` where there is no store.
    public static func open(
        _ address: ServerAddress, schema name: String = usualSchema, group: Identity
    ) throws -> PostgreSQLSecretStore {
        let pool = SessionPool(address)
        let schema = PostgreSQLSchema(name)
        let (place, stored, slots, number) = try pool.withSession { try describe($0, schema) }
        guard stored == group else {
            throw StoreError(
                .otherGroup,
                "\(place) is the store of another group (\(stored.map(\.description) ?? "unknown")); nothing was changed"
            )
        }
        // Places of a page fit into one number's bits where free ones are looked for.
        guard (1...62).contains(slots) else { throw StoreError(.damaged, "\(place): \(slots) slots a page") }
        return PostgreSQLSecretStore(
            pool, schema, place: place, group: group, slotsPerPage: Int(slots), number: number)
    }

    /// Looks at a store whose group is not known, without changing anything.
    ///
    /// - Returns: its group, its marks, and its secrets by generation, counted slot by slot.
    /// - Throws: ``StoreError`` with `damaged`, `ServerFailure`.
    public static func look(
        _ address: ServerAddress, schema name: String = usualSchema
    ) throws -> (group: Identity, marks: StoreMarks, census: Census) {
        let pool = SessionPool(address)
        let schema = PostgreSQLSchema(name)
        let (place, group, slots, number) = try pool.withSession { try describe($0, schema) }
        guard let group, (1...62).contains(slots) else {
            throw StoreError(.damaged, "\(place): is not a secret store of keyroll")
        }
        let store = PostgreSQLSecretStore(
            pool, schema, place: place, group: group, slotsPerPage: Int(slots), number: number)
        return (group, try store.marks(), try store.recount())
    }

    /// Whether there is a store in a schema, whosever it is.
    ///
    /// - Throws: `ServerFailure`.
    public static func isThere(_ address: ServerAddress, schema name: String = usualSchema) throws -> Bool {
        try SessionPool(address).withSession { try isThere($0, PostgreSQLSchema(name)) }
    }

    private static func describe(
        _ session: Session, _ schema: PostgreSQLSchema
    ) throws -> (place: String, group: Identity?, slots: Int64, number: Int64) {
        let place = Self.place(session, schema.name)
        guard try isThere(session, schema) else {
            throw ServerFailure(.missing, place, "there is no store of keyroll here; see: keyroll store add --help")
        }
        let row = try session.run(
            "SELECT format, group_identity, slots_per_page, lock_number FROM \(schema.prefix)store")
        guard row.count == 1 else { throw StoreError(.damaged, "\(place): the store's description is missing") }
        let format = row.integer(0, 0)
        guard format <= PostgreSQLSchema.format else {
            throw StoreError(
                .newerFormat, "\(place) was written by a newer keyroll (format \(format)); install that one")
        }
        guard format == PostgreSQLSchema.format else {
            throw StoreError(
                .olderFormat,
                "\(place) has format \(format), which this keyroll does not read; it reads \(PostgreSQLSchema.format)")
        }
        return (place, row.array(0, 1).flatMap { Identity($0) }, row.integer(0, 2), row.integer(0, 3))
    }

    private static func isThere(_ session: Session, _ schema: PostgreSQLSchema) throws -> Bool {
        try session.run(Statement("SELECT to_regclass($1) IS NOT NULL").text(schema.prefix + "store")).bool(0, 0)
    }

    private static func place(_ session: Session, _ schema: String) -> String { "\(session.place), schema \(schema)" }

    /// Its disk is the server's.
    public func roomNeeded(toRewrite rewrite: Rewrite) throws -> RoomNeed? { nil }

    /// As ``SecretStore`` says.
    public func reopened() throws -> any SecretStore { try Self.open(pool.address, schema: schema.name, group: group) }

    // MARK: Transactions

    /// When a transaction's commit counts as done.
    enum Durability {
        /// Once the log is on the disk.
        case full
        /// At once: what a power cut takes back, the old generation still opens.
        case rewrap
    }

    /// What a transaction begins with.
    ///
    /// - Parameters:
    ///   - durability: when its commit counts as done.
    ///   - mark: raise the fence to it.
    ///   - fence: where the fence has to stand at least, or exactly; nil for a transaction that changes no secret.
    func opening(
        _ durability: Durability, raising mark: GenerationMark? = nil,
        fence: (wanted: UInt32, exactly: Bool)? = nil
    ) -> [Statement] {
        var statements = [
            Statement(Self.beginning, room: 16),
            Statement(
                """
                SELECT set_config('lock_timeout', '\(lockWait)', true),
                    set_config('idle_in_transaction_session_timeout', '30s', true),
                    set_config('synchronous_commit', '\(durability == .full ? "on" : "off")', true)
                    \(Self.planning.map { ", set_config('\($0.0)', '\($0.1)', true)" }.joined())
                """, room: 16),
        ]
        if let mark { statements += raising(to: mark) }
        if let fence {
            statements.append(
                Statement("SELECT \(schema.prefix)hold_fence($1, $2)").integer(Int64(fence.wanted)).bool(fence.exactly))
        }
        return statements
    }

    /// How long a lock is waited for, as the server takes it.
    var lockWait: String { "\(min(2000, pool.address.timeout * 500))ms" }

    /// A transaction that writes, whatever the database's defaults are.
    static let beginning = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    /// Whatever changes secrets finds them by number or by name, so that its plan is known: through the index, one after
    /// another in the order of the arrays, which is also the order of locks. Statistics that lag behind a store that
    /// grows fast would have it read whole tables. Plans are generic since for another kind the planner copies the
    /// parameters, and a batch has up to a megabyte of them, or one largest secret. A table that has to be read whole, such
    /// as that of the counters, looks so dear then that the server would compile the query first.
    static let planning = [
        ("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"),
        ("plan_cache_mode", "force_generic_plan"), ("jit", "off"),
    ]

    /// A transaction that only looks, in one snapshot.
    static let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    static var commit: Statement { Statement("COMMIT", room: 16) }

    /// Reads with one session.
    func read<R>(_ body: (Session) throws -> R) throws -> R {
        try translated { try pool.withSession(body) }
    }

    /// Runs a transaction, again where others came in its way. `body` commits it.
    @discardableResult
    func change<R>(_ body: (Session) throws -> R) throws -> R {
        try translated {
            try pool.transaction { session in
                do { return try body(session) } catch let failure as ServerFailure
                    where failure.state == PostgreSQLSchema.Condition.changed
                {
                    throw ServerFailure(
                        .busy, place, "others changed the same secrets again and again", state: failure.state)
                }
            }
        }
    }

    /// Turns what the schema's own functions say into the store's errors.
    func translated<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let failure as ServerFailure {
            switch (failure.code, failure.state) {
            case (.condition, PostgreSQLSchema.Condition.fence):
                throw fenced(UInt32(failure.detail) ?? 0)
            case (.condition, PostgreSQLSchema.Condition.lease):
                throw StoreError(
                    .claimLost, "\(place): this worker's lease has lapsed, or another worker has taken its range over")
            case (.missing, "42P01"), (.missing, "42883"), (.missing, "42703"), (.missing, "3F000"):
                throw StoreError(.damaged, "\(place): \(failure.detail); a part of the store is missing")
            case (.condition, _), (.internalError, _), (.duplicate, _), (.readsOnly, _), (.busy, _):
                throw ServerFailure(failure.code, place, failure.detail, state: failure.state)
            default: throw failure
            }
        }
    }

    func fenced(_ fence: UInt32) -> StoreError {
        StoreError(
            .fenced(fence: fence),
            "\(place): the fence stands at generation \(fence): only that one may protect here")
    }

    // MARK: Fence and marks

    /// As ``SecretStore`` says.
    public func marks() throws -> StoreMarks {
        let (store, generations) = try read { session in
            let rows = try session.run([
                Statement("SELECT fence FROM \(schema.prefix)store"),
                Statement("SELECT number, identity, check_value FROM \(schema.prefix)generation ORDER BY number"),
            ])
            return (rows[0], rows[1])
        }
        let damaged = StoreError(.damaged, "\(place): fence or generations are not what keyroll writes")
        guard store.count == 1, let fence = UInt32(exactly: store.integer(0, 0)) else { throw damaged }
        let marks = try (0..<generations.count).map { row in
            guard let identity = generations.array(row, 1).flatMap({ Identity($0) }),
                let number = UInt32(exactly: generations.integer(row, 0)), let check = generations.array(row, 2)
            else { throw damaged }
            return GenerationMark(number: number, identity: identity, checkValue: check)
        }
        return StoreMarks(fence: fence, generations: marks)
    }

    /// As ``SecretStore`` says.
    public func raiseFence(to mark: GenerationMark) throws {
        try change { try $0.run(opening(.full, raising: mark) + [Self.commit]) }
    }

    private func raising(to mark: GenerationMark) -> [Statement] {
        // Waits until nobody who read the fence before is still at work.
        [
            exclusive,
            Statement(
                """
                WITH raised AS (UPDATE \(schema.prefix)store SET fence = $1 WHERE fence < $1 RETURNING 1)
                INSERT INTO \(schema.prefix)generation SELECT $1, $2, $3 FROM raised ON CONFLICT DO NOTHING
                """
            ).integer(Int64(mark.number)).bytes(mark.identity.bytes).bytes(mark.checkValue),
        ]
    }

    /// Keeps everybody out who changes secrets, until the transaction ends.
    var exclusive: Statement {
        Statement("SELECT pg_advisory_xact_lock((SELECT lock_number FROM \(schema.prefix)store))", room: 16)
    }

    /// As ``SecretStore`` says.
    public func barrier() throws {
        // Only a transaction that has written something waits for the disk, and then everything before it is there, too.
        try change { session in
            try session.run(
                opening(.full) + [
                    Statement("UPDATE \(schema.prefix)store SET fence = fence", room: 16), Self.commit,
                ])
        }
    }

    // MARK: Places

    func id(_ place: SlotPlace) -> Int64 { place.page * Int64(slotsPerPage) + Int64(place.slot) }

    /// - Throws: ``StoreError`` with `damaged` for a number that is no place.
    func slotPlace(_ id: Int64) throws -> SlotPlace {
        guard id >= Int64(slotsPerPage), id / Int64(slotsPerPage) <= PostgreSQLSchema.maximumPage else {
            throw StoreError(
                .damaged, "\(place): a content has the number \(id), which is no place; run: keyroll doctor")
        }
        return SlotPlace(page: id / Int64(slotsPerPage), slot: Int(id % Int64(slotsPerPage)))
    }

    var pageLength: Int { slotsPerPage * Slot.length }

    /// A key page's bytes as they were read.
    func page(_ rows: Rows, _ row: Int, _ column: Int, number: Int64) throws -> UnsafeRawBufferPointer {
        let slots = rows.bytes(row, column)
        guard slots.count == pageLength, (1...PostgreSQLSchema.maximumPage).contains(number) else {
            throw StoreError(
                .damaged, "\(place): key page \(number) has \(slots.count) bytes; run keyroll doctor")
        }
        return slots
    }

    func text(_ name: [UInt8]) -> String { String(decoding: name, as: UTF8.self) }
}
