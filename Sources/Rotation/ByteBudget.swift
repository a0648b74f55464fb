import Glibc

/// How many bytes the outsized secrets of a run may take together: who wants more waits until others are done.
///
/// Whatever the limit, one alone is always let through.
final class ByteBudget: @unchecked Sendable {
    // @unchecked: everything is behind the mutex.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let limit: Int
    private var taken = 0
    private var isClosed = false

    init(_ limit: Int) {
        self.limit = limit
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Waits for room and takes it.
    ///
    /// - Returns: false once the budget is closed.
    func take(_ count: Int) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while taken > 0, taken + count > limit, !isClosed { pthread_cond_wait(condition, mutex) }
        guard !isClosed else { return false }
        taken += count
        return true
    }

    func giveBack(_ count: Int) {
        pthread_mutex_lock(mutex)
        taken -= count
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Nobody waits any more: after a failure, nothing is given back.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
