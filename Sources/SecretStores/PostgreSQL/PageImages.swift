import PostgreSQL

/// Key pages that a transaction holds locked, on their way to be written back.
///
/// Pages with room are claimed so that writers do not wait for one another: one that somebody else holds is skipped.
struct PageImages {
    /// One page.
    private struct Image {
        var slots: [UInt8]
        /// Places that may be given out.
        var isFree: UInt64 = 0
        /// Whether it says that it has room.
        var hasRoom: Bool
        var isNew = false
        var isChanged = false
    }

    private let store: PostgreSQLSecretStore
    private var images: [Int64: Image] = [:]
    /// Claimed pages in the order in which they are filled.
    private var claimed: [Int64] = []
    private var next = 0

    init(_ store: PostgreSQLSecretStore) { self.store = store }

    private var prefix: String { store.schema.prefix }

    // MARK: Locking

    /// Locks pages, in ascending order.
    ///
    /// - Parameter skippingHeld: leave out those that somebody else holds, instead of waiting for them.
    func lock(_ pages: some Collection<Int64>, skippingHeld: Bool = false) -> Statement {
        Statement(
            """
            SELECT page, slots, has_room FROM \(prefix)key_page WHERE page = ANY($1) ORDER BY page
            FOR NO KEY UPDATE \(skippingHeld ? "SKIP LOCKED" : "")
            """
        ).integers(Array(pages))
    }

    /// Takes over what ``lock(_:)`` gave; of these rows where only some are wanted.
    mutating func take(_ rows: Rows, _ wanted: [Int]? = nil) throws {
        for row in wanted ?? Array(0..<rows.count) {
            let number = rows.integer(row, 0)
            images[number] = Image(
                slots: Array(try store.page(rows, row, 1, number: number)), hasRoom: rows.bool(row, 2))
        }
    }

    /// Claims pages with room for `count` secrets, as far as there are some, and tells which places there are taken by
    /// contents.
    func claim(_ count: Int) -> Statement {
        // Pages may have little room each; what is not found here goes on new pages.
        let pages = max(4, 4 * ((count + store.slotsPerPage - 1) / store.slotsPerPage))
        return Statement(
            """
            SELECT page, slots, has_room, coalesce((
                SELECT bit_or(1::int8 << (id % \(store.slotsPerPage))::int4) FROM \(prefix)secret
                WHERE id >= page * \(store.slotsPerPage) AND id < (page + 1) * \(store.slotsPerPage)), 0)
            FROM \(prefix)key_page WHERE has_room ORDER BY page LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
            """
        ).integer(Int64(count == 1 ? 1 : pages))
    }

    /// Takes over what ``claim(_:)`` gave.
    mutating func takeClaimed(_ rows: Rows) throws {
        for row in 0..<rows.count {
            let number = rows.integer(row, 0)
            let slots = Array(try store.page(rows, row, 1, number: number))
            var isFree: UInt64 = 0
            for slot in 0..<store.slotsPerPage where Self.generation(slots, slot) == 0 { isFree |= 1 << UInt64(slot) }
            // A slot that was cleared from outside while its content is there is given to nobody.
            isFree &= ~UInt64(bitPattern: rows.integer(row, 3))
            images[number] = Image(slots: slots, isFree: isFree, hasRoom: rows.bool(row, 2))
            claimed.append(number)
        }
    }

    /// Numbers for as many new pages as `count` secrets need beyond what was claimed; nil where there is room enough.
    func more(for count: Int) -> Statement? {
        let free = claimed.reduce(0) { $0 + (images[$1]?.isFree.nonzeroBitCount ?? 0) }
        guard count > free else { return nil }
        let pages = (count - free + store.slotsPerPage - 1) / store.slotsPerPage
        return Statement(
            "SELECT nextval('\(prefix.replacing("'", with: "''"))page_number') FROM generate_series(1, $1)"
        )
        .integer(Int64(pages))
    }

    /// Takes over what ``more(for:)`` gave.
    mutating func takeNew(_ rows: Rows) {
        for row in 0..<rows.count {
            let number = rows.integer(row, 0)
            images[number] = Image(
                slots: [UInt8](repeating: 0, count: store.pageLength), isFree: (1 << UInt64(store.slotsPerPage)) - 1,
                hasRoom: true, isNew: true)
            claimed.append(number)
        }
    }

    // MARK: Changing

    /// Whether the page is among those that are locked.
    func contains(_ page: Int64) -> Bool { images[page] != nil }

    /// The bytes of a slot; nil where its page is not there.
    func slot(_ place: SlotPlace) -> [UInt8]? {
        images[place.page].map { image in
            image.slots.withUnsafeBytes { store.slot($0, place.slot) }
        }
    }

    /// Whether a slot is still what was read.
    func isStill(_ slot: UnsafeRawPointer, at place: SlotPlace) -> Bool {
        self.slot(place)?.elementsEqual(UnsafeRawBufferPointer(start: slot, count: Slot.length)) ?? false
    }

    /// Gives out a free place and puts a slot there.
    mutating func add(_ slot: UnsafeRawPointer) throws -> SlotPlace {
        while next < claimed.count {
            let number = claimed[next]
            if let free = images[number]?.isFree, free != 0 {
                let place = SlotPlace(page: number, slot: free.trailingZeroBitCount)
                set(place, slot)
                return place
            }
            next += 1
        }
        throw StoreError(.damaged, "\(store.place): no free slot where there has to be one; run keyroll doctor")
    }

    /// Writes over a slot.
    ///
    /// - Returns: the generation it had.
    @discardableResult
    mutating func set(_ place: SlotPlace, _ slot: UnsafeRawPointer) -> UInt32 {
        guard var image = images.removeValue(forKey: place.page) else { return 0 }
        let before = Self.generation(image.slots, place.slot)
        image.slots.withUnsafeMutableBytes {
            ($0.baseAddress! + place.slot * Slot.length).copyMemory(from: slot, byteCount: Slot.length)
        }
        if Slot.generation(slot) == 0 {
            image.hasRoom = true
        } else {
            image.isFree &= ~(1 << UInt64(place.slot))
        }
        image.isChanged = true
        images[place.page] = image
        return before
    }

    /// Clears a slot.
    mutating func clear(_ place: SlotPlace) -> UInt32 {
        [UInt8](repeating: 0, count: Slot.length).withUnsafeBytes { set(place, $0.baseAddress!) }
    }

    // MARK: Writing back

    /// Statements that write what was changed. Claimed pages without a place to give say so from now on.
    mutating func writing() -> [Statement] {
        for number in claimed {
            if let image = images[number], image.isFree == 0, image.hasRoom {
                images[number]?.hasRoom = false
                images[number]?.isChanged = true
            }
        }
        let changed = images.filter { $0.value.isChanged }.sorted { $0.key < $1.key }
        let (new, old) = (changed.filter { $0.value.isNew }, changed.filter { !$0.value.isNew })
        var statements: [Statement] = []
        if !old.isEmpty {
            let update = Statement(
                """
                WITH done AS (
                    UPDATE \(prefix)key_page p SET slots = u.slots, has_room = u.has_room
                    FROM unnest($1, $2, $3) u (page, slots, has_room) WHERE p.page = u.page RETURNING 1)
                SELECT \(prefix)expect(count(*), $4, '\(PostgreSQLSchema.Condition.changed)') FROM done
                """, room: old.count * (store.pageLength + 32) + 64)
            statements.append(Self.fill(update, old).integer(Int64(old.count)))
        }
        if !new.isEmpty {
            let insert = Statement(
                "INSERT INTO \(prefix)key_page (page, slots, has_room) SELECT * FROM unnest($1, $2, $3)",
                room: new.count * (store.pageLength + 32) + 64)
            statements.append(Self.fill(insert, new))
        }
        return statements
    }

    private static func fill(_ statement: Statement, _ pages: [(key: Int64, value: Image)]) -> Statement {
        statement.integers(pages.map(\.key))
        statement.array(.bytes, count: pages.count) {
            for page in pages { page.value.slots.withUnsafeBytes { statement.element($0) } }
        }
        return statement.array(.bool, count: pages.count) {
            for page in pages { statement.element(page.value.hasRoom) }
        }
    }

    private static func generation(_ slots: [UInt8], _ slot: Int) -> UInt32 {
        slots.withUnsafeBytes { Slot.generation($0.baseAddress! + slot * Slot.length) }
    }
}
