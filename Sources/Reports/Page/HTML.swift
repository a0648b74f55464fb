import Files

/// A piece of HTML (or SVG) that is well formed by the way it is made: text goes in escaped or not at all.
struct HTML {
    private(set) var text: String

    private init(raw: String) { text = raw }

    /// Text as people may see it, escaped.
    init(_ text: String) { self.init(raw: Self.escaped(text)) }

    /// Several pieces, one after another.
    init(_ pieces: [HTML]) { self.init(raw: pieces.map(\.text).joined()) }

    /// Nothing.
    static let none = HTML(raw: "")

    /// An element.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - attributes: names and values; a value is escaped.
    ///   - children: what is inside.
    static func element(_ name: String, _ attributes: [(String, String)] = [], _ children: [HTML] = []) -> HTML {
        let list = attributes.map { " \($0)=\"\(escaped($1))\"" }.joined()
        if isVoid(name) { return HTML(raw: "<\(name)\(list)>") }
        let breaks = isBlock(name) ? "\n" : ""
        return HTML(raw: "<\(name)\(list)>" + children.map(\.text).joined() + "</\(name)>" + breaks)
    }

    /// An element with text inside.
    static func element(_ name: String, _ attributes: [(String, String)] = [], text: String) -> HTML {
        element(name, attributes, [HTML(text)])
    }

    /// A name that somebody chose: on its own as far as direction goes, and never longer than a page can bear.
    static func name(_ text: String) -> HTML {
        let shown = text.count > 300 ? String(text.prefix(300)) + "… (\(text.utf8.count) bytes)" : text
        return element("bdi", text: shown)
    }

    /// A page's style, which is this program's own text.
    static func style(_ sheet: StaticString) -> HTML { HTML(raw: "<style>\n\(sheet)</style>\n") }

    /// A whole document.
    static func document(_ root: HTML) -> String { "<!DOCTYPE html>\n" + root.text }

    private static func isVoid(_ name: String) -> Bool { name == "meta" || name == "br" }

    private static func isBlock(_ name: String) -> Bool {
        ["tr", "table", "section", "header", "main", "h1", "h2", "p", "li", "ul", "head", "body", "svg", "div"]
            .contains(name)
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in ShownText.of(text).unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default:
                // Noncharacters and private ones have no place in a page.
                escaped += HTML.isAllowed(scalar) ? String(scalar) : "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return escaped
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .privateUse, .unassigned: false
        default: scalar.value & 0xFFFE != 0xFFFE
        }
    }
}
