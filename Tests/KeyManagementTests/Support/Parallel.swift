import Dispatch
import Synchronization

/// Runs `body` several times at once, each time on a thread of its own, as so many processes would.
///
/// - Returns: what they gave, in the order of their numbers.
/// - Throws: the first error of any of them, once all have ended.
func inParallel<R: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> R) throws -> [R] {
    let results = Results<R>(count)
    let group = DispatchGroup()
    for number in 0..<count {
        DispatchQueue(label: "test.\(number)").async(group: group) {
            let result = Result { try body(number) }
            results.items.withLock { $0[number] = result }
        }
    }
    group.wait()
    return try results.items.withLock { try $0.compactMap { try $0?.get() } }
}

private final class Results<R: Sendable>: Sendable {
    let items: Mutex<[Result<R, any Error>?]>
    init(_ count: Int) { items = Mutex(Array(repeating: nil, count: count)) }
}
