import Glibc

/// The batches of each stage.
final class Recorder {
    /// One stage; each array has an entry a batch.
    struct Stage: Encodable {
        var unit: String
        var items: [Int] = []
        var seconds: [Double] = []
        /// Empty where nobody counts.
        var allocations: [Int] = []
    }

    private(set) var stages: [String: Stage] = [:]
    private let counter = AllocationCounter()

    /// A batch of one stage while it is measured; it may be measured in parts.
    struct Batch {
        fileprivate var seconds = 0.0
        fileprivate var allocations = 0
    }

    /// Measures a part of a batch.
    @inline(__always)
    func measure<R>(_ batch: inout Batch, _ body: () throws -> R) rethrows -> R {
        let counted = counter?.value() ?? 0
        let start = Self.now()
        let result = try body()
        batch.seconds += Self.now() - start
        batch.allocations += (counter?.value() ?? 0) - counted
        return result
    }

    /// Measures a whole batch, of which `body` says how many items it had.
    func measure(_ stage: String, unit: String = "secrets", _ body: () throws -> Int) rethrows {
        var batch = Batch()
        let items = try measure(&batch, body)
        if items > 0 { add(batch, items, to: stage, unit: unit) }
    }

    /// Adds a batch that is complete.
    func add(_ batch: Batch, _ items: Int, to stage: String, unit: String = "secrets") {
        stages[stage, default: Stage(unit: unit)].items.append(items)
        stages[stage]?.seconds.append(batch.seconds)
        if counter != nil { stages[stage]?.allocations.append(batch.allocations) }
    }

    /// Seconds of the monotonic clock.
    private static func now() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
}

/// The count that `allocations.so` keeps, where it is preloaded.
struct AllocationCounter {
    private let read: @convention(c) () -> Int

    init?() {
        guard let symbol = dlsym(nil, "keyroll_allocations") else { return nil }
        read = unsafeBitCast(symbol, to: (@convention(c) () -> Int).self)
    }

    /// Allocations of all threads so far.
    @inline(__always)
    func value() -> Int { read() }
}
