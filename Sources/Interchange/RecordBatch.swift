import Cryptography

/// Records and their plaintext in one piece of flat memory, used again and again.
///
/// The memory is protected as `SecureBytes` is: wiped, left out of core dumps, locked if the limit allows. It is cut
/// by bytes and by records, and only grows past its capacity for one record that is larger than all of it; ``reset()``
/// gives that much back.
///
/// `@unchecked Sendable`: a batch is handed from the reader to a worker to the committer and back through queues, and
/// whoever has it is the only one who touches it. The queues' locks order the accesses; the batch has none of its own.
public final class RecordBatch: @unchecked Sendable {
    /// The records, in the order in which they stand in the files. The array keeps its capacity over ``reset()``.
    public private(set) var records: ContiguousArray<ImportRecord>
    /// How many bytes the records take, from ``base``.
    public private(set) var used = 0
    /// The most records that it takes.
    public let maximumRecords: Int

    private let ordinaryCapacity: Int
    private var memory: FlatMemory
    /// Everything below has been written to since the last reset. It can be more than `used`: a record that turns
    /// out to be bad leaves what was decoded of it.
    private var touched = 0

    /// Makes an empty batch.
    ///
    /// - Parameters:
    ///   - capacity: how many bytes of names, contexts and plaintext it takes; 1 MiB unless told.
    ///   - maximumRecords: how many records it takes.
    /// - Throws: what `SecureBytes` throws when there is no memory.
    public init(capacity: Int = 1 << 20, maximumRecords: Int = 4096) throws {
        precondition(capacity > 0 && maximumRecords > 0, "a batch needs room")
        self.maximumRecords = maximumRecords
        ordinaryCapacity = capacity
        memory = try FlatMemory(count: capacity + Word.size)
        records = []
        records.reserveCapacity(maximumRecords)
    }

    /// The address that the records' ranges count from. Valid until the next ``reset()`` or
    /// ``RecordSource/read(into:)``.
    public var base: UnsafeRawPointer { UnsafeRawPointer(memory.bytes) }

    /// The bytes of one range of a record, valid as long as ``base`` is.
    public func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// Wipes the bytes, forgets the records, and gives back what was grown for a large record.
    public func reset() {
        // A batch that has grown is replaced; if there is no memory for that, the large one serves on.
        if capacity > ordinaryCapacity, let smaller = try? FlatMemory(count: ordinaryCapacity + Word.size) {
            memory = smaller
        } else {
            wipe(UnsafeMutableRawBufferPointer(start: memory.bytes, count: touched))
        }
        touched = 0
        used = 0
        records.removeAll(keepingCapacity: true)
    }
}

// What the readers fill it with.
extension RecordBatch {
    /// How many bytes fit at present.
    package var capacity: Int { memory.count - Word.size }

    /// Whether no further record fits, however small.
    var isFull: Bool { records.count >= maximumRecords }

    /// Where the next record's bytes go.
    var free: UnsafeMutablePointer<UInt8> { memory.bytes + used }

    /// Makes sure that `count` bytes can be written at ``free``, and `Word.size` more behind them, so that a parser
    /// may store whole words.
    ///
    /// - Returns: false when the batch is too full for them and must be handed on first.
    func reserve(_ count: Int) throws -> Bool {
        if isFull { return false }
        if used + count > capacity {
            guard records.isEmpty else { return false }
            memory = try FlatMemory(count: used + count + Word.size)
            touched = 0
        }
        touched = max(touched, used + count + Word.size)
        return true
    }

    /// Adds a record whose bytes were written at ``free``.
    ///
    /// - Parameters:
    ///   - record: its ranges count from ``base``.
    ///   - count: how many bytes at ``free`` are the record's.
    func append(_ record: ImportRecord, count: Int) {
        assert(record.secret.upperBound <= used + count && used + count <= capacity)
        used += count
        records.append(record)
    }
}
