import Cryptography

/// Contents with their slots on their way through the pipeline: one flat arena that is used again and again.
///
/// Messages, names and wrapped keys are nothing secret. An *outsized* secret, whose plaintext is too large to lie
/// beside its message, goes alone in a batch and is opened in its place: for it the arena is protected memory, which is
/// made for this one and is wiped when it goes.
public final class ContentBatch: @unchecked Sendable {
    // @unchecked: a batch is handed from stage to stage through a queue and has one owner at a time.

    /// What ``outsizedLimit`` is where nothing else is said: a secret of 1 MiB is not outsized.
    public static let usualOutsizedLimit = 2 << 20

    /// A longer body goes alone, and is opened and renewed where it lies.
    public let outsizedLimit: Int
    /// The arena above which a batch is full, in bytes; one secret may be larger than that.
    public let softLimit: Int
    /// The most records.
    public let maximumRecords: Int
    /// The records.
    public private(set) var records: ContiguousArray<Record> = []
    /// Where the arena begins; moves when it grows.
    public private(set) var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0
    /// The arena of an outsized secret; ``base`` points to it then.
    private var outsized: SecureBytes?

    /// New versions, in the order of the records.
    public private(set) var renewals: ContiguousArray<Renewal> = []
    /// Where the new versions' slots lie; moves when ``reserveNewSlots()`` is called.
    public private(set) var newSlots: UnsafeMutableRawPointer
    private var newSlotCapacity = 0
    /// Secrets that a selection left out.
    public var passedOver = 0

    /// Secrets that cannot be opened.
    public var failures: ContiguousArray<Failure> = []
    /// Where the reader goes on behind this batch; what lies in front is in this batch or an earlier one.
    public var position: Int64 = 0

    /// How many bytes an outsized body may have. A reader that meets a longer one ends the batch in front of it and says
    /// so in ``wanted``: the caller can wait for room without a snapshot open.
    public var grant: Int
    /// How many bytes the outsized body has that was not read; 0 where there is none.
    public var wanted = 0

    /// - Parameters:
    ///   - softLimit: bytes above which a batch is full.
    ///   - maximumRecords: records at which a batch is full.
    ///   - outsizedLimit: a longer body goes alone.
    ///   - grant: how many bytes an outsized body may have without asking.
    public init(
        softLimit: Int = 1 << 20, maximumRecords: Int = 4096, outsizedLimit: Int = usualOutsizedLimit, grant: Int = .max
    ) {
        self.softLimit = softLimit
        self.maximumRecords = maximumRecords
        self.outsizedLimit = outsizedLimit
        self.grant = grant
        capacity = softLimit
        base = .allocate(byteCount: softLimit, alignment: 64)
        newSlots = .allocate(byteCount: 64, alignment: 64)
        records.reserveCapacity(maximumRecords)
    }

    deinit {
        if outsized == nil { base.deallocate() }
        newSlots.deallocate()
    }

    /// Whether it takes no more.
    public var isFull: Bool { used >= softLimit || records.count >= maximumRecords || isOutsized }

    /// Whether its only record is an outsized secret.
    public var isOutsized: Bool { outsized != nil }

    /// The bytes of its records.
    public var byteCount: Int { used }

    /// Forgets the records, and gives back what large secrets took.
    public func reset() {
        records.removeAll(keepingCapacity: true)
        failures.removeAll(keepingCapacity: true)
        renewals.removeAll(keepingCapacity: true)
        passedOver = 0
        used = 0
        position = 0
        wanted = 0
        if outsized != nil {
            outsized = nil
            allocate(softLimit)
        } else if capacity > softLimit + outsizedLimit + (128 << 10) {
            base.deallocate()
            allocate(softLimit)
        }
    }

    /// Adds a record; its bytes are copied.
    public func append(
        place: SlotPlace, birth: UInt32, slot: UnsafeRawPointer, name: UnsafeRawBufferPointer,
        context: UnsafeRawBufferPointer?, body: UnsafeRawBufferPointer
    ) {
        reserve(Slot.length + name.count + (context?.count ?? 0) + body.count)
        let slotOffset = copy(UnsafeRawBufferPointer(start: slot, count: Slot.length)).lowerBound
        records.append(
            Record(
                place: place, birth: birth, slot: slotOffset, name: copy(name), context: context.map { copy($0) },
                body: copy(body)))
    }

    /// Makes an outsized secret the only record.
    ///
    /// - Parameters:
    ///   - place: its page and slot.
    ///   - birth: its birth generation.
    ///   - slot: the slot's bytes as they are now.
    ///   - name: its name.
    ///   - context: its context, where it has one.
    ///   - bodyLength: the body's length in bytes.
    ///   - fill: writes the body.
    /// - Throws: `CryptographyError` where there is no memory, and what `fill` throws.
    public func setOutsized(
        place: SlotPlace, birth: UInt32, slot: UnsafeRawPointer, name: UnsafeRawBufferPointer,
        context: UnsafeRawBufferPointer?, bodyLength: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        precondition(records.isEmpty && outsized == nil, "an outsized secret goes alone")
        var memory = try SecureBytes(count: Slot.length + name.count + (context?.count ?? 0) + bodyLength)
        base.deallocate()
        // The mapping stays where it is for as long as this batch keeps it.
        base = memory.withUnsafeMutableBytes { $0.baseAddress! }
        capacity = memory.count
        outsized = consume memory
        let slotOffset = copy(UnsafeRawBufferPointer(start: slot, count: Slot.length)).lowerBound
        let (nameRange, contextRange) = (copy(name), context.map { copy($0) })
        let body = used..<used + bodyLength
        try fill(UnsafeMutableRawBufferPointer(start: base + used, count: bodyLength))
        used += bodyLength
        records.append(
            Record(place: place, birth: birth, slot: slotOffset, name: nameRange, context: contextRange, body: body))
    }

    /// The bytes of a range.
    @inline(__always)
    public func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// Makes room for the new versions' slots of all records.
    public func reserveNewSlots() {
        let needed = records.count * Slot.length
        guard needed > newSlotCapacity else { return }
        newSlots.deallocate()
        newSlots = .allocate(byteCount: needed, alignment: 64)
        newSlotCapacity = needed
    }

    /// Adds a record's new version: the caller fills its slot, and writes its body over the old one.
    public func renew(_ index: Int) -> Renewal {
        let renewal = Renewal(index: index, slot: renewals.count * Slot.length)
        precondition(renewal.slot + Slot.length <= newSlotCapacity, "room is reserved beforehand")
        renewals.append(renewal)
        return renewal
    }

    private func copy(_ bytes: UnsafeRawBufferPointer) -> Range<Int> {
        let start = used
        if let source = bytes.baseAddress { (base + start).copyMemory(from: source, byteCount: bytes.count) }
        used += bytes.count
        return start..<used
    }

    private func reserve(_ more: Int) {
        precondition(outsized == nil, "an outsized secret goes alone")
        guard used + more > capacity else { return }
        let (old, grown) = (base, max(used + more, min(capacity * 2, softLimit + outsizedLimit)))
        allocate(grown)
        base.copyMemory(from: old, byteCount: used)
        old.deallocate()
    }

    private func allocate(_ count: Int) {
        base = .allocate(byteCount: count, alignment: 64)
        capacity = count
    }
}
