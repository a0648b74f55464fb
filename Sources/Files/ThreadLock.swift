import Glibc

/// A lock between threads whose closure may use what is not `Sendable`, as `Mutex` does not let it.
///
/// It is not recursive: a thread that asks for it again inside its own closure ends the process, instead of waiting for ever.
public final class ThreadLock: @unchecked Sendable {
    // @unchecked: the mutex is what makes it safe, and its address never changes.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    /// An open lock.
    public init() {
        mutex = .allocate(capacity: 1)
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ERRORCHECK))
        pthread_mutex_init(mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body`; one thread at a time is in it.
    public func with<R>(_ body: () throws -> R) rethrows -> R {
        precondition(pthread_mutex_lock(mutex) == 0, "a lock is taken twice by one thread")
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }
}
