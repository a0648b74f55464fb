import Synchronization

/// Says which refusals are written down: so many a second for each user. More are counted, and the next entry tells how
/// many; so nobody fills the disk by asking for what he does not get.
final class RefusalMeter: Sendable {
    private let users = Mutex<[UInt32: (bucket: TokenBucket, left: Int)]>([:])
    private let rate: Double

    init(rate: Double) { self.rate = rate }

    /// - Returns: how many were left out before this one; nil where this one is left out as well.
    func note(_ uid: UInt32) -> Int? {
        let now = Monotonic.now
        return users.withLock { users in
            if users.count > 4096 { users.removeAll() }
            var entry = users[uid] ?? (TokenBucket(rate: rate, now: now), 0)
            defer { users[uid] = entry }
            guard entry.bucket.take(now: now) else {
                entry.left += 1
                return nil
            }
            defer { entry.left = 0 }
            return entry.left
        }
    }
}
