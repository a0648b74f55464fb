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

/// A generation's slots, counted one by one.
public struct SlotCount: Sendable, Equatable {
    /// All that name it.
    public var total: Int64 = 0
    /// Those of them that runs could not move and nobody accepted as lost.
    public var quarantined: Int64 = 0
    /// Those of them that an operator accepted as lost.
    public var accepted: Int64 = 0

    /// Nothing yet.
    public init() {}

    /// The others: what a key is needed for.
    public var live: Int64 { total - quarantined - accepted }
}
