import FoundationEssentials
public import Home
import SecretStores

/// The stores of a home: what they are, where, and how they stand.
public struct StoreListing: Sendable {
    /// One store's line.
    public struct Line: Sendable, Equatable {
        /// Its name.
        public var name: String
        /// The word for its kind.
        public var kind: String
        /// Where it is; nothing secret is in it.
        public var place: String
        /// The secrets in it, by its counters; nil where it cannot be reached.
        public var secrets: Int64?
        /// The generation that may protect there; nil where it cannot be reached.
        public var fence: UInt32?
        /// Why it cannot be reached, or nil.
        public var error: String?
    }

    /// In the configuration's order.
    public var lines: [Line]

    /// Reads counters only.
    public init(_ home: Home) throws {
        let opened = home.namedStores
        lines = try home.configuration.stores.map { entry in
            var line = Line(
                name: entry.name, kind: entry.kind.label, place: StoreKinds.place(entry, home.layout))
            if let store = opened.first(where: { $0.name == entry.name })?.store {
                line.secrets = try store.census().total
                line.fence = try store.marks().fence
            }
            line.error = home.unreachable.first { $0.name == entry.name }.map { "\($0.error)" }
            return line
        }
    }

    /// One JSON object (RFC 8259), its names sorted.
    public func json() throws -> [UInt8] {
        struct Store: Encodable {
            var name: String
            var kind: String
            var place: String
            var reachable: Bool
            var secrets: Int64?
            var fence: UInt32?
            var error: String?
        }
        let stores = lines.map {
            Store(
                name: $0.name, kind: $0.kind, place: $0.place, reachable: $0.error == nil, secrets: $0.secrets,
                fence: $0.fence, error: $0.error)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(["stores": stores])) + [10]
    }

    /// The same for people, a line a store.
    public var text: String {
        lines.map { line in
            let state =
                line.error.map { "NOT REACHABLE: \($0)" }
                ?? "\(line.secrets ?? 0) secrets, fence at generation \(line.fence ?? 0)"
            return "\(line.name)\t\(line.kind)\t\(line.place)\t\(state)\n"
        }.joined()
    }
}
