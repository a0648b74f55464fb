public import SecretStores

/// The secrets of several stores in the order of their names' bytes, read a part at a time.
public struct MergedListing {
    /// A secret and the store it lies in.
    public struct Line: Sendable, Equatable {
        /// The store's name.
        public var store: String
        /// The secret.
        public var secret: SecretSummary
    }

    private struct Cursor {
        let name: String
        let store: any SecretStore
        var part: ArraySlice<SecretSummary> = []
        var after: [UInt8]?
        var isAtEnd = false
    }

    private static let part = 1000
    private let prefix: [UInt8]
    private var cursors: [Cursor]

    /// - Parameters:
    ///   - stores: the stores with their names, in the order in which a name that several have is given.
    ///   - prefix: only names that begin with this.
    public init(_ stores: [(name: String, store: any SecretStore)], prefix: String = "") {
        self.prefix = Array(prefix.utf8)
        cursors = stores.map { Cursor(name: $0.name, store: $0.store) }
    }

    /// The next one, or nil at the end.
    public mutating func next() throws -> Line? {
        var first: Int?
        for index in cursors.indices {
            try fill(&cursors[index])
            guard let head = cursors[index].part.first else { continue }
            if let present = first, let name = cursors[present].part.first?.name,
                !head.name.utf8.lexicographicallyPrecedes(name.utf8)
            {
                continue
            }
            first = index
        }
        guard let first, let secret = cursors[first].part.popFirst() else { return nil }
        return Line(store: cursors[first].name, secret: secret)
    }

    private func fill(_ cursor: inout Cursor) throws {
        guard cursor.part.isEmpty, !cursor.isAtEnd else { return }
        let found = try cursor.store.list(after: cursor.after, prefix: prefix, limit: Self.part)
        cursor.isAtEnd = found.count < Self.part
        cursor.after = found.last.map { Array($0.name.utf8) }
        cursor.part = found[...]
    }
}

/// Names that several stores have: all but the first of each are hidden.
public struct DoubledNames: Sendable, Equatable {
    /// How many names.
    public private(set) var count = 0
    /// The first of them, and the stores that have it.
    public private(set) var example: (name: String, stores: [String])?

    /// Lists all the stores that can be reached; with one store there is nothing to look at.
    public init(_ home: Home) throws {
        guard home.stores.count > 1 else { return }
        var listing = MergedListing(home.namedStores)
        var before: (name: String, stores: [String]) = ("", [])
        while let line = try listing.next() {
            guard line.secret.name == before.name else {
                before = (line.secret.name, [line.store])
                continue
            }
            before.stores.append(line.store)
            if before.stores.count == 2 { count += 1 }
            if count == 1 { example = before }
        }
    }

    /// One lower-case line, or nil where there is none.
    public var line: String? {
        guard let example else { return nil }
        return
            "\(count) names are in more than one store, such as '\(example.name)' (\(example.stores.joined(separator: ", "))): the first one counts, the others are hidden"
    }

    /// Whether both saw the same.
    public static func == (left: Self, right: Self) -> Bool { left.line == right.line }
}
