/// AES-256 key wrap (RFC 3394) of many 32-byte keys under one key-encryption key, all in step.
///
/// RFC 3394 runs its 24 steps one after another, each on the result of the one before, so one key alone
/// leaves the AES units of a core idle most of the time. Here each step is one AES-256-ECB call over the
/// current block of up to ``width`` keys, which keeps them full. The block cipher is OpenSSL's; only the
/// mode around it is ours, and it is held against OpenSSL's own AES-256-WRAP and the published vectors.
///
/// The lanes are locked memory that is wiped: data keys lie in them between unwrapping and wrapping. One
/// object serves one thread. Nothing is allocated or thrown for a key.
public final class KeyWrapLanes {
    /// How many keys go in step: enough to hide the latency of AES, small enough for the first-level cache.
    public static let width = 128

    /// RFC 3394 section 2.2.3.1: the initial value that proves integrity.
    private static let initialValue: UInt64 = 0xA6A6_A6A6_A6A6_A6A6

    // For each lane 16 bytes, the block in work: A (8 bytes), then R[k] (8 bytes).
    // After all blocks four rows of R, each `width` long.
    private var memory: SecureBytes
    private let blocks: UnsafeMutablePointer<UInt64>
    private let rows: UnsafeMutablePointer<UInt64>

    /// - Throws: ``CryptographyError`` with `memory`.
    public init() throws {
        let words = Self.width * 2 + Self.width * 4
        var made = try SecureBytes(count: words * 8, mustLock: true)
        // The address is stable for the object's life: SecureBytes never moves what it allocated.
        let base = made.withUnsafeMutableBytes { $0.baseAddress! }
        blocks = base.bindMemory(to: UInt64.self, capacity: words)
        rows = blocks + Self.width * 2
        memory = made
    }

    /// Puts a wrapped key (40 bytes) into a lane, to be unwrapped.
    @inline(__always)
    public func load(wrapped: UnsafeRawPointer, lane: Int) {
        blocks[lane * 2] = wrapped.loadUnaligned(as: UInt64.self)
        for row in 0..<4 {
            rows[row * Self.width + lane] = wrapped.loadUnaligned(fromByteOffset: 8 + row * 8, as: UInt64.self)
        }
    }

    /// Puts a key (32 bytes) into a lane, to be wrapped.
    @inline(__always)
    public func load(key: UnsafeRawPointer, lane: Int) {
        for row in 0..<4 {
            rows[row * Self.width + lane] = key.loadUnaligned(fromByteOffset: row * 8, as: UInt64.self)
        }
    }

    /// Unwraps the first `count` lanes (RFC 3394 section 2.2.2, the indexing form, steps backwards).
    ///
    /// - Parameters:
    ///   - count: 0 to ``width`` lanes.
    ///   - cipher: the key-encryption key, decrypting.
    /// - Throws: ``CryptographyError`` with `libraryFailure`: of OpenSSL, never of one key.
    public func unwrap(_ count: Int, under cipher: BlockCipher) throws {
        precondition(count <= Self.width)
        var step: UInt64 = 24
        let last = rows + 3 * Self.width
        for lane in 0..<count {
            blocks[lane * 2] ^= step.bigEndian
            blocks[lane * 2 + 1] = last[lane]
        }
        while true {
            guard cipher.apply(to: blocks, blocks: count) else { throw Self.refused }
            let row = rows + Int((step - 1) & 3) * Self.width
            step -= 1
            guard step > 0 else {
                for lane in 0..<count { row[lane] = blocks[lane * 2 + 1] }
                return
            }
            // What a step ends with and what the next one begins with, in one way through the lanes.
            let next = rows + Int((step - 1) & 3) * Self.width
            let mask = step.bigEndian
            for lane in 0..<count {
                row[lane] = blocks[lane * 2 + 1]
                blocks[lane * 2] ^= mask
                blocks[lane * 2 + 1] = next[lane]
            }
        }
    }

    /// Whether the key that ``unwrap(_:under:)`` left in a lane has the right integrity value
    /// (RFC 3394 section 2.2.3). Where it has not, the lane holds noise and must not be used.
    @inline(__always)
    public func isIntact(_ lane: Int) -> Bool {
        blocks[lane * 2] == Self.initialValue
    }

    /// Wraps the keys in the first `count` lanes (RFC 3394 section 2.2.1).
    ///
    /// - Parameters:
    ///   - count: 0 to ``width`` lanes.
    ///   - cipher: the key-encryption key, encrypting.
    /// - Throws: ``CryptographyError`` with `libraryFailure`.
    public func wrap(_ count: Int, under cipher: BlockCipher) throws {
        precondition(count <= Self.width)
        for lane in 0..<count {
            blocks[lane * 2] = Self.initialValue
            blocks[lane * 2 + 1] = rows[lane]
        }
        var step: UInt64 = 1
        while true {
            guard cipher.apply(to: blocks, blocks: count) else { throw Self.refused }
            guard step < 24 else { break }
            let row = rows + Int((step - 1) & 3) * Self.width
            let next = rows + Int(step & 3) * Self.width
            let mask = step.bigEndian
            for lane in 0..<count {
                row[lane] = blocks[lane * 2 + 1]
                blocks[lane * 2] ^= mask
                blocks[lane * 2 + 1] = next[lane]
            }
            step += 1
        }
        let last = rows + 3 * Self.width
        let mask = UInt64(24).bigEndian
        for lane in 0..<count {
            blocks[lane * 2] ^= mask
            last[lane] = blocks[lane * 2 + 1]
        }
    }

    /// Copies the wrapped key (40 bytes) of a lane out.
    @inline(__always)
    public func store(wrapped: UnsafeMutableRawPointer, lane: Int) {
        wrapped.storeBytes(of: blocks[lane * 2], as: UInt64.self)
        for row in 0..<4 {
            wrapped.storeBytes(of: rows[row * Self.width + lane], toByteOffset: 8 + row * 8, as: UInt64.self)
        }
    }

    /// Copies the unwrapped key (32 bytes) of a lane out, into locked memory of the caller.
    @inline(__always)
    public func store(key: UnsafeMutableRawPointer, lane: Int) {
        for row in 0..<4 {
            key.storeBytes(of: rows[row * Self.width + lane], toByteOffset: row * 8, as: UInt64.self)
        }
    }

    /// Forgets the keys in the lanes: between batches, so that none waits in memory for the next one.
    public func wipeLanes() {
        memory.withUnsafeMutableBytes { wipe($0) }
    }

    private static var refused: CryptographyError { CryptographyError(.libraryFailure, "AES-256-ECB") }
}
