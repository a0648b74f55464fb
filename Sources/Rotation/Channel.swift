import Glibc

/// A queue between two stages of the pipeline.
///
/// It needs no limit of its own: a run has a fixed number of batches, which go round, so that a fast reader waits for
/// a batch to come back. Waiting threads sleep in the kernel. Once closed it gives out what is left, then nil.
final class Channel<Element>: @unchecked Sendable {
    // @unchecked: everything is behind the mutex.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var items: ContiguousArray<Element> = []
    private var isClosed = false

    init() {
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

    func push(_ item: Element) {
        pthread_mutex_lock(mutex)
        items.append(item)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// The oldest item; waits for one, and gives nil once the channel is closed and empty.
    func pop() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while items.isEmpty, !isClosed { pthread_cond_wait(condition, mutex) }
        return items.isEmpty ? nil : items.removeFirst()
    }

    /// No more items come. With `discarding`, those that wait are thrown away: after a failure.
    func close(discarding: Bool = false) {
        pthread_mutex_lock(mutex)
        isClosed = true
        if discarding { items.removeAll() }
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
