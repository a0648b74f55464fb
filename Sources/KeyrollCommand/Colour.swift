import Glibc

/// Colours, on a terminal only, and never where NO_COLOR is set (no-color.org).
enum Colour {
    private static func isWanted(_ descriptor: Int32) -> Bool {
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        let terminal = variable("TERM")
        return isatty(descriptor) == 1 && variable("NO_COLOR").isEmpty && !terminal.isEmpty && terminal != "dumb"
    }

    private static func painted(_ text: some StringProtocol, _ code: Int) -> String {
        "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    /// The word that begins an error.
    static func error(_ word: String) -> String { isWanted(2) ? painted(word, 31) : word }

    /// The table of `status`: what is overdue and what needs somebody stands out.
    static func status(_ text: String) -> String {
        guard isWanted(1) else { return text }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for index in lines.indices {
            if index == 0 {
                lines[0] = lines[0].hasSuffix("OVERDUE") ? painted(lines[0], 31) : painted(lines[0], 1)
            } else if index == 1 {
                lines[1] = painted(lines[1], 1)
            } else if lines[index].hasPrefix("attention:") {
                lines[index] = painted(lines[index], 33)
            } else if lines[index].hasPrefix("note:") {
                lines[index] = painted(lines[index], 2)
            }
        }
        return lines.joined(separator: "\n")
    }
}
