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
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws {
        final class Box {
            let name: String
            let body: @Sendable () -> Void
            init(_ name: String, _ body: @escaping @Sendable () -> Void) {
                self.name = name
                self.body = body
            }
        }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(name, body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                let box = Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue()
                pthread_setname_np(pthread_self(), box.name)
                box.body()
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
