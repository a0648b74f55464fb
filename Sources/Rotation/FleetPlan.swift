/// How a store's pages are cut into ranges that workers claim: decided from numbers alone.
public enum FleetPlan {
    /// A range is worth the claim: that many pages of a committer's batch at least.
    static let pagesAtLeast: Int64 = 256
    /// A range's end lets a worker's stages run dry, so that ranges are long where there are pages enough for it.
    static let pagesUsually: Int64 = 4096
    /// So many are cut also where they are shorter than that, to keep a few workers busy to the end.
    static let rangesAnyway: Int64 = 32
    /// What a worker that dies leaves is taken over where it stopped: more ranges than that serve nobody.
    static let rangesAtMost: Int64 = 1024

    /// - Parameter pages: how many pages there are.
    /// - Returns: the last page of each range; the last range goes on to whatever is added later.
    public static func ranges(pages: Int64) -> [Int64] {
        let count = max(1, min(rangesAnyway, pages / pagesAtLeast), min(rangesAtMost, pages / pagesUsually))
        return (1...count).map { pages / count * $0 + min($0, pages % count) }
    }
}
