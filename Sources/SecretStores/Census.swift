/// How many secrets each generation protects.
public struct Census: Sendable, Equatable {
    /// By generation number; no entry is zero.
    public private(set) var counts: [UInt32: Int64]

    /// - Parameter counts: by generation number.
    public init(_ counts: [UInt32: Int64] = [:]) { self.counts = counts.filter { $0.value != 0 } }

    /// All secrets.
    public var total: Int64 { counts.values.reduce(0, +) }

    /// Those of one generation.
    public subscript(generation: UInt32) -> Int64 { counts[generation] ?? 0 }

    /// Those of every other generation.
    public func stale(except generation: UInt32) -> Int64 { total - self[generation] }

    /// The sum of two stores.
    public static func + (left: Census, right: Census) -> Census {
        Census(left.counts.merging(right.counts, uniquingKeysWith: +))
    }
}
