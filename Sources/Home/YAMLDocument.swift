import Files

/// A YAML file read strictly: every key has to be known, every value of the right kind, and an error names the line.
///
/// Shared by `keyroll.yaml` and the job files.
public struct YAMLDocument {
    private let path: String
    private let root: [(key: YAMLNode, value: YAMLNode)]
    private let prefix: String

    /// - Parameters:
    ///   - path: the file.
    ///   - limit: the most bytes it may have.
    /// - Throws: ``HomeError`` with `configuration`, or `FileError`.
    public init(path: String, limit: Int = 1 << 16) throws {
        try self.init(text: Self.text(path, limit), from: path)
    }

    /// The same for text that was read already.
    ///
    /// - Parameters:
    ///   - text: the document.
    ///   - path: where it comes from, for messages.
    /// - Throws: ``HomeError`` with `configuration`.
    public init(text: String, from path: String) throws {
        try Self.refuseAliases(text, path)
        let node: YAMLNode?
        do { node = try YAMLNode.parse(text) } catch let error as YAMLNode.Malformed {
            throw HomeError(.configuration, "\(path):\(error.line): is not YAML: \(error.problem)")
        }
        guard case .mapping(let mapping)? = node?.content else {
            throw HomeError(.configuration, "\(path): has to be a list of names and values")
        }
        self.init(path: path, root: mapping, prefix: "")
    }

    private init(path: String, root: [(key: YAMLNode, value: YAMLNode)], prefix: String) {
        self.path = path
        self.root = root
        self.prefix = prefix
    }

    /// Fails for a key that is not in `known`, or stands twice.
    public func expect(only known: Set<String>) throws {
        var seen: Set<String> = []
        for (key, _) in root {
            let name = key.string ?? "?"
            guard known.contains(name) else {
                throw error(
                    key, "'\(prefix)\(name)' is not known here; known: \(known.sorted().joined(separator: ", "))")
            }
            guard seen.insert(name).inserted else { throw error(key, "'\(prefix)\(name)' stands twice") }
        }
    }

    /// A text.
    public func string(_ key: String) throws -> String? {
        guard let node = node(key) else { return nil }
        guard let text = node.string else { throw error(node, "'\(prefix)\(key)' has to be one value") }
        return text
    }

    /// Several texts.
    public func strings(_ key: String) throws -> [String]? {
        guard let node = node(key) else { return nil }
        guard case .sequence(let sequence) = node.content else {
            throw error(node, "'\(prefix)\(key)' has to be a sequence")
        }
        return try sequence.map { item in
            guard let text = item.string else { throw error(item, "'\(prefix)\(key)' has to hold texts") }
            return text
        }
    }

    /// A whole number.
    public func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = try string(key) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw error(
                node(key), "'\(prefix)\(key)' has to be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// True or false.
    public func truth(_ key: String) throws -> Bool? {
        guard let text = try string(key) else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default: throw error(node(key), "'\(prefix)\(key)' has to be true or false")
        }
    }

    /// A duration in seconds.
    public func duration(_ key: String) throws -> Int64? {
        guard let text = try string(key) else { return nil }
        guard let seconds = PolicyDuration.parse(text) else {
            throw error(node(key), "'\(prefix)\(key)' has to be a duration such as 90d, 12h, 30m or 45s")
        }
        return seconds
    }

    /// A part with names and values of its own.
    public func part(_ key: String) throws -> YAMLDocument? {
        guard let node = node(key) else { return nil }
        guard case .mapping(let mapping) = node.content else {
            throw error(node, "'\(prefix)\(key)' has to be a list of names and values")
        }
        return YAMLDocument(path: path, root: mapping, prefix: "\(prefix)\(key).")
    }

    /// A sequence of such parts.
    public func parts(_ key: String) throws -> [YAMLDocument]? {
        guard let node = node(key) else { return nil }
        guard case .sequence(let sequence) = node.content else {
            throw error(node, "'\(prefix)\(key)' has to be a sequence")
        }
        return try sequence.enumerated().map { index, item in
            guard case .mapping(let mapping) = item.content else {
                throw error(item, "'\(prefix)\(key)' has to hold names and values")
            }
            return YAMLDocument(path: path, root: mapping, prefix: "\(prefix)\(key)[\(index)].")
        }
    }

    /// An error at a key's place.
    public func error(_ key: String, _ message: String) -> HomeError { error(node(key), message) }

    private func node(_ key: String) -> YAMLNode? { root.first { $0.key.string == key }?.value }

    private func error(_ node: YAMLNode?, _ message: String) -> HomeError {
        HomeError(.configuration, "\(path):\(node.map { "\($0.line):" } ?? "") \(message)")
    }

    /// Anchors and aliases can make a small file describe an enormous tree; nothing here needs them.
    private static func refuseAliases(_ text: String, _ path: String) throws {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split { " \t,[]{}:?-!".contains($0) }
            guard let word = words.first(where: { $0.hasPrefix("&") || $0.hasPrefix("*") }) else { continue }
            throw HomeError(.configuration, "\(path):\(number + 1): '\(word)': anchors and aliases are not taken here")
        }
    }

    private static func text(_ path: String, _ limit: Int) throws -> String {
        guard let bytes = try PrivateFile.read(path, limit: limit) else {
            throw HomeError(.configuration, "\(path): is larger than \(limit) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw HomeError(.configuration, "\(path): is not UTF-8")
        }
        return text
    }
}
