import Dispatch
import Synchronization

/// Reader, crypto workers and committer, each on a thread of its own, with a fixed number of batches going round.
///
/// ```
/// free -> reader -> filled -> N workers -> done -> committer (the caller's thread) -> free
/// ```
///
/// The committer gets the batches in the order they were read, so that one number says how far a run has come.
/// What a stage needs is made inside its own thread. The reader begins when all workers have what they need: locked
/// memory is scarce, and a worker's must not go to what is read. On the first failure every channel is closed, so that no stage
/// waits for ever, and that failure is thrown.
enum Pipeline<Batch: AnyObject & Sendable> {
    private struct Ticket {
        let order: Int
        let batch: Batch
    }

    /// Runs until the reader's end, a failure, or a stop.
    ///
    /// - Parameters:
    ///   - batches: the batches that go round.
    ///   - workers: crypto workers.
    ///   - control: asked before each batch.
    ///   - reader: makes the reading function; false from that is the end.
    ///   - worker: makes a worker's function.
    ///   - commit: takes a batch; what it did is in the batch afterwards.
    ///   - onFailure: wakes what else a stage may wait for.
    /// - Returns: how long each stage was busy.
    static func run(
        _ batches: [Batch], workers: Int, control: RunControl,
        reader: @escaping @Sendable () throws -> (Batch) throws -> Bool,
        worker: @escaping @Sendable () throws -> (Batch) throws -> Void,
        commit: (Batch) throws -> Void, onFailure: @escaping @Sendable () -> Void = {}
    ) throws -> StageTimes {
        let free = Channel<Batch>()
        let filled = Channel<Ticket>()
        let done = Channel<Ticket>()
        let ready = Channel<Int>()
        let failure = Mutex<(any Error)?>(nil)
        let times = Mutex(StageTimes())
        let running = Atomic(workers)
        for batch in batches { free.push(batch) }
        control.begin(workers: workers)

        @Sendable func fail(_ error: any Error) {
            failure.withLock { if $0 == nil { $0 = error } }
            free.close(discarding: true)
            ready.close(discarding: true)
            filled.close(discarding: true)
            done.close(discarding: true)
            onFailure()
        }

        let group = DispatchGroup()
        // Serial queues: Dispatch gives each a thread of its own, where a concurrent one would count waiting threads
        // against its limit and start the next only after a while.
        DispatchQueue(label: "keyroll.reader").async(group: group) {
            do {
                let read = try reader()
                for _ in 0..<workers { _ = ready.pop() }
                var order = 0
                while !control.isStopping, let batch = free.pop() {
                    let (more, seconds) = try timed { try read(batch) }
                    times.withLock { $0.read += seconds }
                    control.note(busy: seconds, in: .read)
                    guard more else { break }
                    filled.push(Ticket(order: order, batch: batch))
                    order += 1
                }
                filled.close()
            } catch { fail(error) }
        }
        for number in 0..<workers {
            DispatchQueue(label: "keyroll.worker.\(number)").async(group: group) {
                do {
                    let work = try worker()
                    ready.push(number)
                    while let ticket = filled.pop() {
                        let (_, seconds) = try timed { try work(ticket.batch) }
                        times.withLock { $0.transform += seconds }
                        control.note(busy: seconds, in: .transform)
                        done.push(ticket)
                    }
                    if running.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { done.close() }
                } catch { fail(error) }
            }
        }
        do {
            var waiting: [Ticket] = []
            var next = 0
            while let ticket = done.pop() {
                waiting.append(ticket)
                while let index = waiting.firstIndex(where: { $0.order == next }) {
                    let batch = waiting.remove(at: index).batch
                    let (_, seconds) = try timed { try commit(batch) }
                    times.withLock { $0.commit += seconds }
                    control.note(busy: seconds, in: .commit)
                    next += 1
                    free.push(batch)
                }
            }
        } catch { fail(error) }
        group.wait()
        if let error = failure.withLock({ $0 }) { throw error }
        return times.withLock { $0 }
    }

    private static func timed<R>(_ body: () throws -> R) rethrows -> (R, Double) {
        let start = Pacer.now()
        let result = try body()
        return (result, Pacer.now() - start)
    }
}
