/// Names as people may be shown them.
public enum ShownText {
    /// Control, format and separator characters become escapes such as `\u{202e}`, so that no name can move a cursor,
    /// turn the direction of what follows, or forge a line.
    public static func of(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
