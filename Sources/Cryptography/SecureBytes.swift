import COpenSSL
import Glibc

/// Bytes that are locked into memory, left out of core dumps, and wiped when they go.
///
/// Up to ``smallLimit`` bytes come from OpenSSL's secure heap, which is locked and surrounded by guard pages.
/// More than that is a mapping of its own: kept out of dumps, closed to children, and locked as far as
/// `RLIMIT_MEMLOCK` allows. Keys are small and therefore always locked; a plaintext of many mebibytes may
/// not be, and is wiped all the same.
public struct SecureBytes: ~Copyable, @unchecked Sendable {
    // @unchecked: the pointer is this value's alone, and a noncopyable value has one owner at a time.

    /// The most bytes that are taken from the small locked heap.
    public static let smallLimit = 4096

    private let base: UnsafeMutableRawPointer
    private let mapped: Int
    /// How many bytes there are.
    public let count: Int

    /// Zeroed memory.
    ///
    /// - Parameter count: the number of bytes, 0 or more.
    /// - Throws: ``CryptographyError`` with `memory` where a small buffer cannot be locked or none is left.
    public init(count: Int) throws { try self.init(count: count, mustLock: count <= Self.smallLimit) }

    /// The same, saying whether memory that cannot be locked will do.
    init(count: Int, mustLock: Bool) throws {
        // All that throws works on locals: the properties come last, since a throwing initialiser of a
        // noncopyable type with a deinit may not leave a half-made value behind.
        let wanted = max(count, 1)
        if wanted <= Self.smallLimit, SecureHeap.isReady, let small = allocateLocked(wanted) {
            base = small
            mapped = 0
        } else {
            let length = (wanted + 4095) & ~4095
            base = try mapProtected(length, mustLock: mustLock)
            mapped = length
        }
        self.count = count
    }

    /// Memory that `fill` writes.
    ///
    /// - Parameters:
    ///   - count: the number of bytes, 0 or more.
    ///   - fill: writes the bytes; if it throws, the memory is wiped and the error passed on.
    public init(count: Int, filledBy fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        var made = try SecureBytes(count: count)
        try made.withUnsafeMutableBytes { try fill($0) }
        self = made
    }

    /// A copy of bytes that lie elsewhere; wiping the original is the caller's duty.
    public init(copying bytes: UnsafeRawBufferPointer) throws {
        self = try SecureBytes(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Reads the bytes. The pointer must not leave the closure.
    public borrowing func withUnsafeBytes<R: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Changes the bytes. The pointer must not leave the closure.
    public mutating func withUnsafeMutableBytes<R: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        try body(UnsafeMutableRawBufferPointer(start: base, count: count))
    }

    deinit {
        if mapped == 0 {
            CRYPTO_secure_clear_free(base, max(count, 1), nil, 0)
        } else {
            OPENSSL_cleanse(base, mapped)
            munmap(base, mapped)
        }
    }
}

/// OpenSSL's secure heap, made once for each process.
enum SecureHeap {
    /// 256 KiB: some thousand generations at 32 bytes each, far below the usual 8 MiB that may be locked.
    private static let size = 1 << 18

    /// Whether the heap is there and locked (1 is success, 2 is a heap that could not be locked).
    static let isReady: Bool = CRYPTO_secure_malloc_init(size, 32) == 1
}

private func allocateLocked(_ count: Int) -> UnsafeMutableRawPointer? {
    CRYPTO_secure_zalloc(count, nil, 0)
}

/// A private mapping that no dump holds and no child inherits.
private func mapProtected(_ length: Int, mustLock: Bool) throws -> UnsafeMutableRawPointer {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let memory = mmap(nil, length, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
        throw CryptographyError(.memory, "cannot map \(length) bytes")
    }
    madvise(memory, length, MADV_DONTDUMP)
    madvise(memory, length, MADV_DONTFORK)
    if mlock(memory, length) != 0, mustLock {
        munmap(memory, length)
        throw CryptographyError(
            .memory, "cannot lock \(length) bytes: raise the limit on locked memory (ulimit -l)")
    }
    return memory
}
