public import Cryptography
import Databases
import Files
import Synchronization

/// The embedded store: one SQLite file with a write-ahead log.
public final class SQLiteSecretStore: SecretStore {
    /// As ``SecretStore`` says.
    public let place: String
    /// As ``SecretStore`` says.
    public let group: Identity
    /// As ``SecretStore`` says.
    public let slotsPerPage: Int
    // Connections are made when they are first needed: a `get` opens one, a `put` another.
    let readerSlot = Mutex<Connection?>(nil)
    private let writerSlot = Mutex<WriterBox?>(nil)
    let lookups = Mutex<LookupPool>(LookupPool())

    /// A writer is used by one thread at a time: under the mutex.
    private final class WriterBox: @unchecked Sendable {
        let writer: SQLiteWriter
        init(_ writer: SQLiteWriter) { self.writer = writer }
    }

    private init(place: String, group: Identity, slotsPerPage: Int) {
        self.place = place
        self.group = group
        self.slotsPerPage = slotsPerPage
    }

    /// Makes an empty store.
    ///
    /// - Parameters:
    ///   - path: a file that does not exist yet.
    ///   - group: the group it belongs to for ever.
    /// - Throws: `FileError` with `exists`, or `DatabaseFailure`.
    public static func create(_ path: String, group: Identity) throws -> SQLiteSecretStore {
        try Connection.create(path)
        let connection = try Connection(path: path, durability: .full, writeAheadLog: true)
        try connection.write { database in
            try database.execute(SQLiteSchema.tables)
            try database.execute(
                "INSERT INTO store VALUES (1, ?, ?, ?, 0)",
                [SQLiteSchema.format, group.bytes, SQLiteSchema.slotsPerPage])
        }
        try connection.close()
        try PrivateFile.syncDirectory(of: path)
        return SQLiteSecretStore(place: path, group: group, slotsPerPage: SQLiteSchema.slotsPerPage)
    }

    /// Opens a store.
    ///
    /// - Parameters:
    ///   - path: the file; it has to be private.
    ///   - group: the group whose ring is at hand.
    /// - Throws: ``StoreError`` with `otherGroup` or `newerFormat`, `FileError`, or `DatabaseFailure`.
    public static func open(_ path: String, group: Identity) throws -> SQLiteSecretStore {
        try PrivateFile.check(path)
        let connection = try Connection(path: path, durability: .full, writeAheadLog: true)
        let (stored, slots) = try connection.access { database -> (Identity?, Int) in
            guard try database.hasTable("store"),
                let row = try database.row("SELECT * FROM store WHERE id = 1")
            else { throw StoreError(.damaged, "\(path): is not a secret store of keyroll") }
            let damaged = StoreError(.damaged, "\(path): the store's description is not what keyroll writes")
            guard let format = row.number("format"), let slots = row.number("slots_per_page") else { throw damaged }
            guard format <= SQLiteSchema.format else {
                throw StoreError(
                    .newerFormat, "\(path) was written by a newer keyroll (format \(format)); install that one")
            }
            return (row.bytes("group_identity").flatMap { Identity($0) }, Int(clamping: slots))
        }
        guard stored == group else {
            throw StoreError(
                .otherGroup,
                "\(path) is the store of another group (\(stored.map(\.description) ?? "unknown")); nothing was changed"
            )
        }
        guard (1...1489).contains(slots) else { throw StoreError(.damaged, "\(path): \(slots) slots a page") }
        let store = SQLiteSecretStore(place: path, group: group, slotsPerPage: slots)
        store.readerSlot.withLock { $0 = connection }
        return store
    }

    /// Uses the connection for reading, in one snapshot.
    func read<R>(_ body: (Database) throws -> R) throws -> R {
        try reader().read(body)
    }

    func reader() throws -> Connection {
        try readerSlot.withLock { slot in
            if let open = slot { return open }
            let opened = try Connection(path: place, durability: .full, writeAheadLog: true)
            slot = opened
            return opened
        }
    }

    /// Uses the durable writer, in one transaction.
    func change<R>(_ body: (Database, SQLiteWriter.Statements) throws -> R) throws -> R {
        let box = try writerSlot.withLock { slot in
            if let open = slot { return open }
            let opened = WriterBox(
                try SQLiteWriter(path: place, durability: .full, isJob: false, cacheKiB: 8192))
            slot = opened
            return opened
        }
        // The database and its statements are not Sendable; they are used under the lock, and nothing of them escapes.
        return try changeLock.with { try box.writer.transaction(body) }
    }

    private let changeLock = ThreadLock()

    /// Empties the write-ahead log if no reader stands in the way.
    public func emptyLog() throws {
        try changeLock.with { try writerSlot.withLock { $0 }?.writer.emptyLog() }
    }

    // MARK: Fence, marks, census

    /// As ``SecretStore`` says.
    public func marks() throws -> StoreMarks {
        try read { try marks($0) }
    }

    func marks(_ database: Database) throws -> StoreMarks {
        let damaged = StoreError(.damaged, "\(place): fence or generations are not what keyroll writes")
        guard
            let fence = try database.row("SELECT fence FROM store WHERE id = 1")?.number("fence")
                .flatMap(UInt32.init(exactly:))
        else { throw damaged }
        let rows = try database.rows("SELECT * FROM generation ORDER BY number")
        let generations = try rows.map { row in
            guard let identity = row.bytes("identity").flatMap({ Identity($0) }),
                let number = row.number("number").flatMap(UInt32.init(exactly:)),
                let checkValue = row.bytes("check_value")
            else { throw damaged }
            return GenerationMark(number: number, identity: identity, checkValue: checkValue)
        }
        return StoreMarks(fence: fence, generations: generations)
    }

    /// As ``SecretStore`` says.
    public func census() throws -> Census {
        try read { try census($0) }
    }

    func census(_ database: Database) throws -> Census {
        var counts: [UInt32: Int64] = [:]
        for row in try database.rows("SELECT generation, live FROM census") {
            guard let number = row.number("generation").flatMap(UInt32.init(exactly:)), let live = row.number("live"),
                (-(1 << 48)...(1 << 48)).contains(live)
            else { throw StoreError(.damaged, "\(place): a counter is not what keyroll writes; run: keyroll doctor") }
            counts[number] = live
        }
        return Census(counts)
    }

    /// As ``SecretStore`` says.
    public func recount() throws -> Census {
        try read { try recount($0) }
    }

    private func recount(_ database: Database) throws -> Census {
        let statement = try RawStatement("SELECT slots FROM key_page", database, path: place)
        var counts: [UInt32: Int64] = [:]
        while try statement.step() {
            let slots = statement.bytes(0)
            for offset in stride(from: 0, to: slots.count - Slot.length + 1, by: Slot.length) {
                let generation = Slot.generation(slots.baseAddress! + offset)
                if generation != 0 { counts[generation, default: 0] += 1 }
            }
        }
        return Census(counts)
    }

    /// As ``SecretStore`` says.
    public func slots(of generation: UInt32) throws -> SlotCount {
        try read { database in
            // A row of the quarantine counts only where a slot is there that it can be about.
            var listed: [Int64: Bool] = [:]
            for row in try database.rows(
                "SELECT id, accepted FROM quarantine WHERE generation = ?", [Int64(generation)])
            {
                if let id = row.number("id") { listed[id] = row.text("accepted") != nil }
            }
            let statement = try RawStatement("SELECT page, slots FROM key_page", database, path: place)
            var count = SlotCount()
            while try statement.step() {
                let page = statement.integer(0)
                let slots = statement.bytes(1)
                for slot in 0..<slots.count / Slot.length
                where Slot.generation(slots.baseAddress! + slot * Slot.length) == generation {
                    count.total += 1
                    guard !listed.isEmpty, let isAccepted = listed[id(SlotPlace(page: page, slot: slot))] else {
                        continue
                    }
                    if isAccepted { count.accepted += 1 } else { count.quarantined += 1 }
                }
            }
            return count
        }
    }

    /// Looks at a copy that lies elsewhere, without changing anything in it.
    ///
    /// - Parameter path: the copy.
    /// - Returns: its group, its marks, and its secrets by generation, counted slot by slot.
    /// - Throws: ``StoreError`` with `damaged`, `DatabaseFailure`.
    public static func look(_ path: String) throws -> (group: Identity, marks: StoreMarks, census: Census) {
        let connection = try Connection(path: path, readOnly: true, durability: .full, writeAheadLog: false)
        let group = try connection.access { database -> Identity? in
            guard try database.hasTable("store") else { return nil }
            return try database.row("SELECT group_identity FROM store WHERE id = 1")?
                .bytes("group_identity").flatMap { Identity($0) }
        }
        guard let group else { throw StoreError(.damaged, "\(path): is not a secret store of keyroll") }
        let store = SQLiteSecretStore(place: path, group: group, slotsPerPage: SQLiteSchema.slotsPerPage)
        store.readerSlot.withLock { $0 = connection }
        return (group, try store.marks(), try store.recount())
    }

    /// As ``SecretStore`` says.
    public func correctCensus() throws -> Bool {
        try change { database, statements in
            let counted = try recount(database)
            guard try counted != census(database) else { return false }
            try database.execute("DELETE FROM census")
            for (generation, live) in counted.counts { try statements.count(generation, Int(live)) }
            return true
        }
    }

    /// As ``SecretStore`` says.
    public func raiseFence(to mark: GenerationMark) throws {
        try change { _, statements in
            try statements.raise(to: mark, from: statements.presentFence())
        }
    }
}
