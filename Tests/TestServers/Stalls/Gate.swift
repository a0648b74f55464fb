import Foundation

/// What threads stand before while it is closed.
final class Gate: @unchecked Sendable {
    // Guarded by the condition, hence unchecked.
    private var isOpen = true
    private let condition = NSCondition()

    func set(open: Bool) {
        condition.withLock {
            isOpen = open
            condition.broadcast()
        }
    }

    func pass() {
        condition.withLock {
            while !isOpen { condition.wait() }
        }
    }
}
