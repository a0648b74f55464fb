import CYAML

/// A value in a YAML document, and the line where it begins.
struct YAMLNode {
    /// What it is.
    enum Content {
        case scalar(String)
        case sequence([YAMLNode])
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    let content: Content
    /// Counted from 1.
    let line: Int

    /// The text of a scalar.
    var string: String? { if case .scalar(let text) = content { text } else { nil } }

    /// A text that libyaml cannot read.
    struct Malformed: Error {
        let line: Int
        let problem: String
    }

    /// Reads a text that holds one document.
    ///
    /// - Returns: nil for a text without any.
    /// - Throws: ``Malformed``.
    static func parse(_ text: String) throws -> YAMLNode? {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { throw Malformed(line: 1, problem: "no memory is left") }
        defer { yaml_parser_delete(&parser) }
        // The parser keeps the address: nothing may move the bytes until it is done.
        var text = text
        return try text.withUTF8 { bytes in
            yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
            let root = try document(&parser)
            if root != nil, let second = try document(&parser) {
                throw Malformed(line: second.line, problem: "a second document begins here")
            }
            return root
        }
    }

    private static func document(_ parser: inout yaml_parser_t) throws -> YAMLNode? {
        var document = yaml_document_t()
        guard yaml_parser_load(&parser, &document) == 1 else {
            throw Malformed(
                line: Int(parser.problem_mark.line) + 1,
                problem: parser.problem.map { String(cString: $0) } ?? "it cannot be read")
        }
        defer { yaml_document_delete(&document) }
        guard let root = yaml_document_get_root_node(&document) else { return nil }
        var left = nodesAtMost
        return try YAMLNode(root, &document, depth: 0, &left)
    }

    /// An alias leads to a node a second time: into itself, or a billion times into the same few. Both have an end.
    private static let depthAtMost = 50
    private static let nodesAtMost = 100_000

    private init(
        _ node: UnsafeMutablePointer<yaml_node_t>, _ document: inout yaml_document_t, depth: Int, _ left: inout Int
    ) throws {
        line = Int(node.pointee.start_mark.line) + 1
        left -= 1
        guard depth <= Self.depthAtMost, left >= 0 else {
            throw Malformed(line: line, problem: "it is nested too deeply, or has too many values")
        }
        func child(_ number: Int32) throws -> YAMLNode {
            try YAMLNode(yaml_document_get_node(&document, number), &document, depth: depth + 1, &left)
        }
        switch node.pointee.type {
        case YAML_SEQUENCE_NODE:
            let items = node.pointee.data.sequence.items
            content = try .sequence(
                UnsafeBufferPointer(start: items.start, count: items.start.distance(to: items.top)).map(child))
        case YAML_MAPPING_NODE:
            let pairs = node.pointee.data.mapping.pairs
            content = try .mapping(
                UnsafeBufferPointer(start: pairs.start, count: pairs.start.distance(to: pairs.top)).map {
                    (try child($0.key), try child($0.value))
                })
        default:
            let scalar = node.pointee.data.scalar
            content = .scalar(
                String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self))
        }
    }
}
