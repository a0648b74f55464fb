/// Key pages on their way through the pipeline: flat memory that is used again and again.
///
/// Nothing in it is secret: wrapped keys before and after. It is allocated once; the only thing that may grow is
/// the list of failures.
public final class PageBatch: @unchecked Sendable {
    // @unchecked: a batch is handed from stage to stage through a queue and has one owner at a time.

    /// A slot that could not be moved.
    public struct Failure: Sendable {
        /// The page's index in the batch.
        public var index: Int
        /// The slot in the page.
        public var slot: Int
        /// The generation it names.
        public var generation: UInt32
        /// Why.
        public var reason: FailureReason

        /// - Parameters:
        ///   - index: the page's index in the batch.
        ///   - slot: the slot in the page.
        ///   - generation: the generation it names.
        ///   - reason: why.
        public init(index: Int, slot: Int, generation: UInt32, reason: FailureReason) {
            self.index = index
            self.slot = slot
            self.generation = generation
            self.reason = reason
        }
    }

    /// How many slots were moved away from one generation.
    public struct Source: Sendable {
        /// The generation.
        public var generation: UInt32
        /// The number of slots.
        public var count: Int

        /// - Parameters:
        ///   - generation: the generation.
        ///   - count: the number of slots.
        public init(generation: UInt32, count: Int) {
            self.generation = generation
            self.count = count
        }
    }

    /// Slots a page.
    public let slotsPerPage: Int
    /// Bytes a page.
    public let pageLength: Int
    /// The most pages.
    public let capacity: Int
    /// How many pages a reader is to put in, up to ``capacity``.
    public var pagesWanted: Int
    /// The pages now in it.
    public private(set) var count = 0
    /// Their numbers, ascending.
    public let pages: UnsafeMutablePointer<Int64>
    /// What was read, page after page.
    public let old: UnsafeMutableRawPointer
    /// What is to be written; the same as ``old`` for a page whose ``changed`` is false.
    public let new: UnsafeMutableRawPointer
    /// Whether a page has anything to write.
    public let changed: UnsafeMutablePointer<Bool>
    /// What a store's reader notes of a page's version for its committer; nobody else looks at it.
    public let stamps: UnsafeMutablePointer<UInt32>

    /// Occupied slots.
    public var scanned = 0
    /// Slots that were at the target already.
    public var current = 0
    /// Slots to be moved, by the generation they leave.
    public var sources: ContiguousArray<Source> = []
    /// Slots that cannot be moved.
    public var failures: ContiguousArray<Failure> = []

    /// - Parameters:
    ///   - slotsPerPage: the store's constant.
    ///   - capacity: the most pages.
    public init(slotsPerPage: Int, capacity: Int) {
        self.slotsPerPage = slotsPerPage
        self.capacity = capacity
        pagesWanted = capacity
        pageLength = slotsPerPage * Slot.length
        pages = .allocate(capacity: capacity)
        changed = .allocate(capacity: capacity)
        stamps = .allocate(capacity: capacity)
        old = .allocate(byteCount: capacity * pageLength, alignment: 64)
        new = .allocate(byteCount: capacity * pageLength, alignment: 64)
        sources.reserveCapacity(16)
    }

    deinit {
        pages.deallocate()
        changed.deallocate()
        stamps.deallocate()
        old.deallocate()
        new.deallocate()
    }

    /// Forgets the pages.
    public func reset() {
        count = 0
        scanned = 0
        current = 0
        sources.removeAll(keepingCapacity: true)
        failures.removeAll(keepingCapacity: true)
    }

    /// Forgets the pages above `page`.
    public func drop(after page: Int64) {
        while count > 0, pages[count - 1] > page { count -= 1 }
    }

    /// Adds a page; its bytes are copied.
    public func append(page: Int64, slots: UnsafeRawPointer, stamp: UInt32 = 0) {
        precondition(count < capacity)
        pages[count] = page
        changed[count] = false
        stamps[count] = stamp
        (old + count * pageLength).copyMemory(from: slots, byteCount: pageLength)
        count += 1
    }
}
