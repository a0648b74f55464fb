@_exported public import Synchronization
import Glibc

/// `Mutex` on a lock that the thread sanitizer sees. The standard library's own waits in a library that is not
/// instrumented, so that everything behind it would be taken for a race.
///
/// For `make test-tsan` only: its copy of the sources imports this module where they say `Synchronization`.
public struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // @unchecked: the value is used under the lock.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// As the standard library's.
    public init(_ initial: consuming sending Value) {
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        value = .allocate(capacity: 1)
        value.initialize(to: initial)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    /// As the standard library's.
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value.pointee)
    }
}
