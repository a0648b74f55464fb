import Synchronization

/// Bytes of payloads and of answers that wait: for all connections together, and for those of one user, so that none
/// takes the others' share.
final class PayloadBudget: Sendable {
    private let taken = Mutex<(all: Int, ofUser: [UInt32: Int])>((0, [:]))
    private let limit: Int
    private let limitOfUser: Int

    init(_ limit: Int, ofUser: Int) {
        self.limit = limit
        limitOfUser = ofUser
    }

    /// - Returns: false where that would be more than may be; then nothing was taken.
    func take(_ count: Int, for user: UInt32) -> Bool {
        taken.withLock { taken in
            guard taken.all + count <= limit, taken.ofUser[user, default: 0] + count <= limitOfUser else {
                return false
            }
            taken.all += count
            taken.ofUser[user, default: 0] += count
            return true
        }
    }

    func give(_ count: Int, of user: UInt32) {
        taken.withLock { taken in
            taken.all -= count
            let left = taken.ofUser[user, default: count] - count
            taken.ofUser[user] = left == 0 ? nil : left
        }
    }
}
