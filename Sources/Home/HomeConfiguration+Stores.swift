/// The part of `keyroll.yaml` that names the stores.
extension HomeConfiguration {
    /// One secret store.
    public struct Store: Sendable, Equatable {
        /// What it is called in commands and reports, unique in the group.
        public var name: String
        /// What it is, and where.
        public var kind: Kind

        /// - Parameters:
        ///   - name: 1 to 64 of `A-Z a-z 0-9 . _ -`.
        ///   - kind: what it is, and where.
        public init(name: String, kind: Kind) {
            self.name = name
            self.kind = kind
        }

        /// An SQLite file, named after it.
        ///
        /// - Parameter path: absolute, or below the home.
        public init(path: String) { self.init(name: StoreNames.name(ofFile: path), kind: .sqlite(path: path)) }

        /// SQLite files, each named after itself and no two the same.
        public static func files(_ paths: [String]) -> [Store] {
            var taken: Set<String> = []
            return paths.map { path in
                let name = StoreNames.free(StoreNames.name(ofFile: path)) { taken.contains($0) }
                taken.insert(name)
                return Store(name: name, kind: .sqlite(path: path))
            }
        }
    }

    /// The stores of a document.
    ///
    /// - Throws: ``HomeError`` with `configuration`, naming file and line.
    static func stores(_ document: YAMLDocument, _ path: String) throws -> [Store] {
        guard let parts = try document.parts("stores"), !parts.isEmpty else {
            throw HomeError(.configuration, "\(path): 'stores' is missing or empty")
        }
        var given: Set<String> = []
        let names = try parts.map { part in
            guard let name = try part.string("name") else { return nil as String? }
            guard StoreNames.isName(name) else { throw part.error("name", StoreNames.rule(name)) }
            guard given.insert(name).inserted else { throw part.error("name", "two stores are named '\(name)'") }
            return name
        }
        // Names that were given come first: adding one never changes what another store is called.
        return try zip(parts, names).map { part, name in
            let (kind, usual) = try Store.Kind.read(part, path)
            if let name { return Store(name: name, kind: kind) }
            let free = StoreNames.free(usual) { given.contains($0) }
            given.insert(free)
            return Store(name: free, kind: kind)
        }
    }

    /// The lines of a store's entry.
    static func lines(_ store: Store) -> [String] {
        let entry = [("name", quoted(store.name))] + store.kind.entry.map { ($0.key, quoted($0.value)) }
        return entry.enumerated().map { "  \($0 == 0 ? "-" : " ") \($1.0): \($1.1)" }
    }

    /// The store of a name.
    public func store(named name: String) -> Store? { stores.first { $0.name == name } }

    /// Their names, for messages.
    public var storeNames: String { stores.map(\.name).joined(separator: ", ") }
}
