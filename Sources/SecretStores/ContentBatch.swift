/// Contents with their slots on their way through the pipeline: one flat arena that is used again and again.
///
/// Nothing in it is secret: messages, names and wrapped keys.
public final class ContentBatch: @unchecked Sendable {
    // @unchecked: a batch is handed from stage to stage through a queue and has one owner at a time.

    /// One secret; the ranges are offsets into ``base``.
    public struct Record: Sendable {
        /// Where its slot lies.
        public var place: SlotPlace
        /// Its birth generation.
        public var birth: UInt32
        /// The slot's 44 bytes.
        public var slot: Int
        /// The name.
        public var name: Range<Int>
        /// The context, if there is one.
        public var context: Range<Int>?
        /// The message's body.
        public var body: Range<Int>
    }

    /// A secret that could not be opened.
    public struct Failure: Sendable {
        /// The record's index, or nil for a slot without a content.
        public var index: Int?
        /// Where its slot lies.
        public var place: SlotPlace
        /// The generation it names.
        public var generation: UInt32
        /// Why.
        public var reason: FailureReason

        /// - Parameters:
        ///   - index: the record's index, or nil.
        ///   - place: where its slot lies.
        ///   - generation: the generation it names.
        ///   - reason: why.
        public init(index: Int?, place: SlotPlace, generation: UInt32, reason: FailureReason) {
            self.index = index
            self.place = place
            self.generation = generation
            self.reason = reason
        }
    }

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

    /// A new version of a record, to be written: offsets into ``output``.
    public struct Renewal: Sendable {
        /// The record's index.
        public var index: Int
        /// The new slot's 44 bytes.
        public var slot: Int
        /// The new body.
        public var body: Range<Int>
    }

    /// New versions, in the order of the records.
    public private(set) var renewals: ContiguousArray<Renewal> = []
    /// Where the new versions lie; moves when ``reserveOutput(_:)`` is called.
    public private(set) var output: UnsafeMutableRawPointer
    private var outputCapacity = 64
    private var outputUsed = 0
    /// Secrets that a selection left out.
    public var passedOver = 0

    /// Secrets that cannot be opened.
    public var failures: ContiguousArray<Failure> = []
    /// Where the reader goes on behind this batch; what lies in front is in this batch or an earlier one.
    public var position: Int64 = 0

    /// - Parameters:
    ///   - softLimit: bytes above which a batch is full.
    ///   - maximumRecords: records at which a batch is full.
    public init(softLimit: Int = 1 << 20, maximumRecords: Int = 4096) {
        self.softLimit = softLimit
        self.maximumRecords = maximumRecords
        capacity = softLimit
        base = .allocate(byteCount: softLimit, alignment: 64)
        output = .allocate(byteCount: 64, alignment: 64)
        records.reserveCapacity(maximumRecords)
    }

    deinit {
        base.deallocate()
        output.deallocate()
    }

    /// Whether it takes no more.
    public var isFull: Bool { used >= softLimit || records.count >= maximumRecords }

    /// The bytes of its records.
    public var byteCount: Int { used }

    /// Forgets the records, and gives back what one very large secret took.
    public func reset() {
        records.removeAll(keepingCapacity: true)
        failures.removeAll(keepingCapacity: true)
        renewals.removeAll(keepingCapacity: true)
        passedOver = 0
        outputUsed = 0
        if outputCapacity > 8 * softLimit {
            output.deallocate()
            outputCapacity = 64
            output = .allocate(byteCount: outputCapacity, alignment: 64)
        }
        used = 0
        position = 0
        if capacity > 8 * softLimit {
            base.deallocate()
            capacity = softLimit
            base = .allocate(byteCount: capacity, alignment: 64)
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

    /// The bytes of a range.
    @inline(__always)
    public func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// Makes room for the new versions of all records: their bodies keep their lengths.
    public func reserveOutput() {
        let needed = used + records.count * Slot.length
        guard needed > outputCapacity else { return }
        output.deallocate()
        output = .allocate(byteCount: needed, alignment: 64)
        outputCapacity = needed
    }

    /// Adds room for a record's new version, which the caller fills.
    public func renew(_ index: Int, bodyLength: Int) -> Renewal {
        precondition(outputUsed + Slot.length + bodyLength <= outputCapacity, "room is reserved beforehand")
        let renewal = Renewal(
            index: index, slot: outputUsed,
            body: outputUsed + Slot.length..<outputUsed + Slot.length + bodyLength)
        outputUsed = renewal.body.upperBound
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
        guard used + more > capacity else { return }
        let grown = max(used + more, capacity * 2)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 64)
        larger.copyMemory(from: base, byteCount: used)
        base.deallocate()
        base = larger
        capacity = grown
    }
}
