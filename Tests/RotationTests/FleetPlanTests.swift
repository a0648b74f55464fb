import Rotation
import Testing

/// Ranges that workers claim: together all pages, none twice.
@Suite struct FleetPlanTests {
    @Test(arguments: [0, 1, 255, 256, 511, 512, 5000, 25_000, 250_000, 131_072, 25_000_000, 250_000_000] as [Int64])
    func allPagesOnce(pages: Int64) {
        let ranges = FleetPlan.ranges(pages: pages)
        #expect(ranges.last == pages && (1...1024).contains(ranges.count))
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0 < $1 })
        let lengths = zip(ranges, [0] + ranges).map { $0 - $1 }
        if ranges.count > 1 { #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 1 && lengths[0] >= 256) }
    }

    @Test func howMany() {
        let counts = [100, 2500, 25_000, 250_000, 25_000_000].map { FleetPlan.ranges(pages: $0).count }
        #expect(counts == [1, 9, 32, 61, 1024])
    }
}
