/// Names and texts as SQL writes them, whatever characters they have.
enum SQLText {
    /// A text in ASCII that neither depends on the server's settings nor ends a dollar-quoted body or a line around it.
    static func literal(_ text: String) -> String {
        var isPlain = true
        let escaped = text.unicodeScalars.map { scalar -> String in
            if scalar == "'" { return "''" }
            if scalar != "\\", scalar != "$", (32...126).contains(scalar.value) { return String(scalar) }
            isPlain = false
            let digits = String(scalar.value, radix: 16)
            return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
        return (isPlain ? "'" : "E'") + escaped.joined() + "'"
    }

    /// A role's or table's name.
    static func identifier(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
}

extension SQLText {
    /// A role's name for people: quoted only where SQL needs it.
    static func shown(_ name: String) -> String {
        let isPlain =
            name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
            && !(0x30...0x39).contains(name.utf8.first ?? 0x30)
        return isPlain ? name : identifier(name)
    }
}
