/// One statement with its parameters, all in binary format, in one flat memory that is used again.
///
/// Arrays are written element by element in PostgreSQL's binary array format (`array_send`).
public final class Statement {
    /// Object identifiers of the types in use (`pg_type`).
    enum TypeIdentifier {
        static let bool: UInt32 = 16
        static let bytes: UInt32 = 17
        static let integer: UInt32 = 20
        static let text: UInt32 = 25
        static let transaction: UInt32 = 28
        static let boolArray: UInt32 = 1000
        static let bytesArray: UInt32 = 1001
        static let textArray: UInt32 = 1009
        static let transactionArray: UInt32 = 1011
        static let integerArray: UInt32 = 1016
    }

    /// Kinds of array elements.
    public enum Element: Sendable {
        /// `bytea`
        case bytes
        /// `text`
        case text
        /// `int8`
        case integer
        /// `bool`
        case bool
        /// `xid`
        case transaction
    }

    /// One statement with `$1`, `$2` …
    public var sql: String
    private(set) var types: [UInt32] = []
    private(set) var lengths: [Int32] = []
    private var places: [Place] = []
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0
    /// Where the parameter that is being added begins.
    private var start = 0

    /// Where a parameter's bytes lie.
    private enum Place {
        case nowhere
        /// At an offset in this object's memory.
        case here(Int)
        /// In the caller's memory.
        case there(UnsafeRawPointer)
    }

    /// - Parameters:
    ///   - sql: one statement with `$1`, `$2` …
    ///   - room: bytes to begin with.
    public init(_ sql: String, room: Int = 256) {
        self.sql = sql
        capacity = room
        memory = .allocate(byteCount: room, alignment: 8)
    }

    deinit { memory.deallocate() }

    /// How many parameters it has.
    public var count: Int { types.count }

    /// Forgets the parameters.
    public func reset() {
        types.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        used = 0
    }

    // MARK: Single values

    /// Adds an `int8`.
    @discardableResult
    public func integer(_ value: Int64) -> Self {
        begin(TypeIdentifier.integer)
        put(value.bigEndian)
        return end()
    }

    /// Adds a `bool`.
    @discardableResult
    public func bool(_ value: Bool) -> Self {
        begin(TypeIdentifier.bool)
        put(UInt8(value ? 1 : 0))
        return end()
    }

    /// Adds a `text`, or NULL.
    @discardableResult
    public func text(_ value: String?) -> Self {
        guard var value else { return null(TypeIdentifier.text) }
        begin(TypeIdentifier.text)
        value.withUTF8 { put(UnsafeRawBufferPointer($0)) }
        return end()
    }

    /// Adds a `text` of UTF-8 bytes.
    @discardableResult
    public func text(utf8 value: [UInt8]) -> Self {
        begin(TypeIdentifier.text)
        value.withUnsafeBytes { put($0) }
        return end()
    }

    /// Adds a `bytea`, or NULL.
    @discardableResult
    public func bytes(_ value: UnsafeRawBufferPointer?) -> Self {
        guard let value else { return null(TypeIdentifier.bytes) }
        begin(TypeIdentifier.bytes)
        put(value)
        return end()
    }

    /// Adds a `bytea`.
    @discardableResult
    public func bytes(_ value: [UInt8]) -> Self { value.withUnsafeBytes { bytes($0) } }

    /// Adds a `bytea` that `body` writes, piece after piece.
    @discardableResult
    public func pieces(_ body: () -> Void) -> Self {
        begin(TypeIdentifier.bytes)
        body()
        return end()
    }

    /// Adds a `bytea` that is not copied: it has to stay where it is until the statement was run.
    @discardableResult
    public func borrowed(_ value: UnsafeRawBufferPointer) -> Self {
        guard let start = value.baseAddress else { return bytes([]) }
        types.append(TypeIdentifier.bytes)
        places.append(.there(start))
        lengths.append(Int32(value.count))
        return self
    }

    /// A piece of a `bytea`.
    @inline(__always)
    public func piece(_ bytes: UnsafeRawBufferPointer) { put(bytes) }

    private func null(_ type: UInt32) -> Self {
        types.append(type)
        places.append(.nowhere)
        lengths.append(0)
        return self
    }

    // MARK: Arrays

    /// Adds a whole array of `int8`.
    @discardableResult
    public func integers(_ values: some Collection<Int64>) -> Self {
        array(.integer, count: values.count) { for value in values { self.element(value) } }
    }

    /// Adds an array of `count` elements, which `body` writes.
    @discardableResult
    public func array(_ element: Element, count: Int, _ body: () -> Void) -> Self {
        let (array, type) =
            switch element {
            case .bytes: (TypeIdentifier.bytesArray, TypeIdentifier.bytes)
            case .text: (TypeIdentifier.textArray, TypeIdentifier.text)
            case .integer: (TypeIdentifier.integerArray, TypeIdentifier.integer)
            case .bool: (TypeIdentifier.boolArray, TypeIdentifier.bool)
            case .transaction: (TypeIdentifier.transactionArray, TypeIdentifier.transaction)
            }
        begin(array)
        put(Int32(count == 0 ? 0 : 1).bigEndian)
        // Whether there are NULLs is looked at by nobody; they may come.
        put(Int32(1).bigEndian)
        put(type.bigEndian)
        if count > 0 {
            put(Int32(count).bigEndian)
            put(Int32(1).bigEndian)
        }
        body()
        return end()
    }

    /// An element of a `bytea` or `text` array.
    @inline(__always)
    public func element(_ bytes: UnsafeRawBufferPointer) {
        put(Int32(bytes.count).bigEndian)
        put(bytes)
    }

    /// An element of an `int8` array.
    @inline(__always)
    public func element(_ value: Int64) {
        put(Int32(8).bigEndian)
        put(value.bigEndian)
    }

    /// An element of a `bool` array.
    @inline(__always)
    public func element(_ value: Bool) {
        put(Int32(1).bigEndian)
        put(UInt8(value ? 1 : 0))
    }

    /// An element of an `xid` array.
    @inline(__always)
    public func element(_ value: UInt32) {
        put(Int32(4).bigEndian)
        put(value.bigEndian)
    }

    /// A NULL element.
    public func nullElement() { put(Int32(-1).bigEndian) }

    // MARK: Memory

    private func begin(_ type: UInt32) {
        types.append(type)
        places.append(.here(used))
        start = used
    }

    private func end() -> Self {
        lengths.append(Int32(used - start))
        return self
    }

    @inline(__always)
    private func put<T: BitwiseCopyable>(_ value: T) {
        let count = MemoryLayout<T>.size
        if used + count > capacity { grow(count) }
        (memory + used).storeBytes(of: value, as: T.self)
        used += count
    }

    @inline(__always)
    private func put(_ bytes: UnsafeRawBufferPointer) {
        if used + bytes.count > capacity { grow(bytes.count) }
        if let source = bytes.baseAddress { (memory + used).copyMemory(from: source, byteCount: bytes.count) }
        used += bytes.count
    }

    private func grow(_ more: Int) {
        let larger = max(capacity * 2, used + more)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        moved.copyMemory(from: memory, byteCount: used)
        memory.deallocate()
        memory = moved
        capacity = larger
    }

    /// Where the parameters lie; valid until the next one is added.
    func pointers() -> [UnsafePointer<CChar>?] {
        places.map { place in
            switch place {
            case .nowhere: nil
            case .here(let offset): UnsafePointer((memory + offset).assumingMemoryBound(to: CChar.self))
            case .there(let start): start.assumingMemoryBound(to: CChar.self)
            }
        }
    }
}
