/// Comma-separated values as `psql` writes them: quoted only where that is needed.
enum SeparatedValues {
    static func rows(_ text: String) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var value = String.UnicodeScalarView()
        var isQuoted = false
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()
        while let scalar = next {
            next = scalars.next()
            switch scalar {
            // A quote inside is written twice: the second one opens again what the first closed.
            case "\"" where isQuoted && next == "\"":
                value.append("\"")
                next = scalars.next()
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                row.append(String(value))
                value = String.UnicodeScalarView()
            case "\n" where !isQuoted:
                rows.append(row + [String(value)])
                row = []
                value = String.UnicodeScalarView()
            default: value.append(scalar)
            }
        }
        return rows
    }
}
