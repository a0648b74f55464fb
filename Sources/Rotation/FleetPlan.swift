/// How a store's pages are cut into ranges that workers claim: decided from numbers alone.
public enum FleetPlan {
    /// A range is worth the claim: that many batches of a committer at least.
    static let pagesAtLeast: Int64 = 256
    /// What a worker that dies leaves is taken over where it stopped, so that many ranges serve only to keep all workers
    /// busy to the end.
    static let rangesAtMost: Int64 = 1024

    /// - Parameter pages: how many pages there are.
    /// - Returns: the last page of each range; the last range goes on to whatever is added later.
    public static func ranges(pages: Int64) -> [Int64] {
        let count = min(rangesAtMost, max(1, pages / pagesAtLeast))
        return (1...count).map { pages / count * $0 + min($0, pages % count) }
    }
}
