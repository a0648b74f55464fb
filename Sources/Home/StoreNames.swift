/// What stores are called: in commands, in reports, and where nobody gave a name.
public enum StoreNames {
    private static let limit = 64

    /// Whether a name is one: 1 to 64 of `A-Z a-z 0-9 . _ -`, and no option.
    public static func isName(_ text: String) -> Bool {
        (1...limit).contains(text.utf8.count) && text.unicodeScalars.allSatisfy(isTaken) && !text.hasPrefix("-")
    }

    /// What is wrong with a name that is none.
    public static func rule(_ text: String) -> String {
        "'\(text)' is no name for a store: it has to be 1 to \(limit) of A-Z a-z 0-9 . _ - and not begin with -"
    }

    /// The usual name of a file: its last component without what follows the last dot.
    static func name(ofFile path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        let dot = last.lastIndex(of: ".").flatMap { $0 == last.startIndex ? nil : $0 }
        return usual(dot.map { String(last[..<$0]) } ?? last)
    }

    /// A text made into a name.
    static func usual(_ text: String) -> String {
        let fitting = String(String.UnicodeScalarView(text.unicodeScalars.map { isTaken($0) ? $0 : "-" }))
        let name = String(fitting.drop { $0 == "-" }.prefix(limit))
        return name.isEmpty ? "store" : name
    }

    /// The name itself, or with the first number behind it that makes it free.
    static func free(_ name: String, isTaken: (String) -> Bool) -> String {
        var candidate = name
        var number = 2
        while isTaken(candidate) {
            let end = "-\(number)"
            candidate = name.prefix(limit - end.utf8.count) + end
            number += 1
        }
        return candidate
    }

    private static func isTaken(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "._-".unicodeScalars.contains(scalar))
    }
}
