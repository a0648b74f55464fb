import Databases

/// Gives out free slots inside one transaction, and holds the page it fills in memory until it is full.
///
/// Pages with room are found through the index on `free`; where there is none, a new page follows the last one.
final class SlotAllocator {
    private let slotsPerPage: Int
    private let withRoom: RawStatement
    private let lastPage: RawStatement
    private let insert: RawStatement
    private let update: RawStatement
    private let window: BlobWindow
    private let path: String

    // The page in work.
    private var page: Int64 = 0
    private var free = 0
    private var next = 0
    private var isNew = false
    private var isDirty = false
    private var image: [UInt8]
    /// Pages up to this one are not opened again.
    private var exhausted: Int64 = 0

    init(_ database: Database, slotsPerPage: Int, path: String) throws {
        self.slotsPerPage = slotsPerPage
        self.path = path
        image = [UInt8](repeating: 0, count: slotsPerPage * Slot.length)
        withRoom = try RawStatement(
            "SELECT page, free, slots FROM key_page WHERE free > 0 AND page > ?1 ORDER BY page LIMIT 1", database,
            path: path)
        lastPage = try RawStatement("SELECT max(page) FROM key_page", database, path: path)
        insert = try RawStatement("INSERT INTO key_page VALUES (?1, ?2, ?3)", database, path: path)
        update = try RawStatement("UPDATE key_page SET free = ?2, slots = ?3 WHERE page = ?1", database, path: path)
        window = BlobWindow(table: "key_page", column: "slots", database, path: path)
    }

    /// The place that the next secret gets, without taking it yet.
    func nextPlace() throws -> SlotPlace {
        while true {
            if page == 0 || free == 0 || next == slotsPerPage { try openPage() }
            while next < slotsPerPage {
                let empty = image.withUnsafeBytes { Slot.generation($0.baseAddress! + next * Slot.length) == 0 }
                if empty { return SlotPlace(page: page, slot: next) }
                next += 1
            }
            // It says it has room and has none left: `doctor` names it, and no write has to fail for it.
            exhausted = page
        }
    }

    /// Takes the place that ``nextPlace()`` gave.
    func take(_ slot: UnsafeRawPointer) {
        write(slot, at: next)
        free -= 1
        next += 1
    }

    /// Leaves the place that ``nextPlace()`` gave as it is: for as long as this allocator lives it is not given again.
    func passOver() {
        next += 1
        if next == slotsPerPage { exhausted = page }
    }

    /// Overwrites the slot of a secret that keeps its place.
    ///
    /// - Returns: the generation the slot had.
    func overwrite(_ place: SlotPlace, with slot: UnsafeRawPointer) throws -> UInt32 {
        if page != 0, place.page == page {
            let before = image.withUnsafeBytes { Slot.generation($0.baseAddress! + place.slot * Slot.length) }
            write(slot, at: place.slot)
            return before
        }
        var whole = try read(place.page)
        let offset = place.slot * Slot.length
        let before = whole.withUnsafeMutableBytes { bytes in
            let target = bytes.baseAddress! + offset
            defer { target.copyMemory(from: slot, byteCount: Slot.length) }
            return Slot.generation(target)
        }
        try whole.withUnsafeBytes { try window.write($0.baseAddress!, count: $0.count) }
        window.close()
        return before
    }

    /// Clears a slot and counts it as free.
    ///
    /// - Returns: the generation the slot had.
    func release(_ place: SlotPlace) throws -> UInt32 {
        let zeros = [UInt8](repeating: 0, count: Slot.length)
        return try zeros.withUnsafeBytes { try overwrite(place, with: $0.baseAddress!) }
    }

    /// Writes the page in work back: before the transaction ends, and before anybody else reads it.
    func flush() throws {
        guard page != 0, isDirty else { return }
        let statement = isNew ? insert : update
        statement.bind(1, page)
        statement.bind(2, Int64(free))
        try image.withUnsafeBytes { bytes in
            statement.bind(3, blob: bytes)
            try statement.run()
        }
        isNew = false
        isDirty = false
    }

    private func write(_ slot: UnsafeRawPointer, at index: Int) {
        image.withUnsafeMutableBytes {
            ($0.baseAddress! + index * Slot.length).copyMemory(from: slot, byteCount: Slot.length)
        }
        isDirty = true
    }

    private func openPage() throws {
        try flush()
        next = 0
        defer { withRoom.reset() }
        withRoom.bind(1, exhausted)
        if try withRoom.step() {
            page = withRoom.integer(0)
            free = Int(withRoom.integer(1))
            let slots = withRoom.bytes(2)
            guard slots.count == image.count, page <= SQLiteSchema.maximumPage else {
                throw StoreError(.damaged, "\(path): key page \(page) has \(slots.count) bytes; run keyroll doctor")
            }
            image.withUnsafeMutableBytes { $0.copyMemory(from: slots) }
            isNew = false
        } else {
            defer { lastPage.reset() }
            let last = try lastPage.step() ? lastPage.integer(0) : 0
            guard (0..<SQLiteSchema.maximumPage).contains(last) else {
                throw StoreError(.damaged, "\(path): the last key page has the number \(last); run: keyroll doctor")
            }
            page = last + 1
            free = slotsPerPage
            image.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
            isNew = true
        }
    }

    private func read(_ page: Int64) throws -> [UInt8] {
        guard let count = try window.move(to: page), count == image.count else {
            throw StoreError(.damaged, "\(path): key page \(page) is missing or short; run keyroll doctor")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try window.read(into: $0.baseAddress!, count: count) }
        return bytes
    }
}
