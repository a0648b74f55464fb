import Glibc

/// Seconds of a clock that only goes forward.
enum Monotonic {
    static var now: Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
}

/// A thread of its own, for work that blocks: Dispatch's pool is for work that does not.
enum WorkThread {
    static func start(_ body: @escaping @Sendable () -> Void) throws {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread: pthread_t = 0
        let box = Unmanaged.passRetained(Box(body))
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        pthread_attr_init(attributes)
        defer {
            pthread_attr_destroy(attributes)
            attributes.deallocate()
        }
        pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(attributes, 1 << 20)
        let result = pthread_create(
            &thread, attributes,
            { argument in
                Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            box.release()
            throw BrokerFault("cannot start a thread: \(String(cString: strerror(result)).lowercased())")
        }
    }
}

/// The broker itself cannot go on.
public struct BrokerFault: Error, Sendable, CustomStringConvertible {
    /// One lower-case line.
    public let description: String
    init(_ description: String) { self.description = description }
}
