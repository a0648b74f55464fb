import Synchronization

/// Bytes of payloads and of answers that wait, for all connections together.
final class PayloadBudget: Sendable {
    private let taken = Atomic<Int>(0)
    private let limit: Int

    init(_ limit: Int) { self.limit = limit }

    /// - Returns: false where that would be more than may be; then nothing was taken.
    func take(_ count: Int) -> Bool {
        guard taken.add(count, ordering: .relaxed).newValue <= limit else {
            give(count)
            return false
        }
        return true
    }

    func give(_ count: Int) { taken.subtract(count, ordering: .relaxed) }
}
