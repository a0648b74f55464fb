import Dispatch
import Synchronization
import Testing

/// A run that does not come to its end.
struct Hung: Error {}

/// Runs `body` on a thread of its own, and gives up waiting after half a minute: a stage that waits for ever is then a
/// failed test, and not a test run without an end.
func withDeadline<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
    let result = Outcome<R>()
    let isDone = DispatchSemaphore(value: 0)
    DispatchQueue(label: "test.deadline").async {
        let outcome = Result { try body() }
        result.value.withLock { $0 = outcome }
        isDone.signal()
    }
    guard isDone.wait(timeout: .now() + 30) == .success, let outcome = result.value.withLock({ $0 }) else {
        throw Hung()
    }
    return try outcome.get()
}

private final class Outcome<R: Sendable>: Sendable {
    let value = Mutex<Result<R, any Error>?>(nil)
}
