import Access
import Testing

@Suite struct NamePatternTests {
    /// What the documentation says, as simply as it can be put: by recursion, over every way to share the text out.
    private static func matches(_ pattern: ArraySlice<Unicode.Scalar>, _ name: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case "*": return (0...name.count).contains { matches(rest, name.dropFirst($0)) }
        case "?": return !name.isEmpty && matches(rest, name.dropFirst())
        case "\\": return name.first == rest.first && matches(rest.dropFirst(), name.dropFirst())
        default: return name.first == first && matches(rest, name.dropFirst())
        }
    }

    @Test func randomPatternsMatchAsTheReferenceSays() throws {
        let letters: [Unicode.Scalar] = ["a", "b", "*", "?", "\\", "é", "\u{301}", "😀"]
        var found = (yes: 0, no: 0)
        for _ in 0..<20_000 {
            var scalars = (0..<Int.random(in: 1...8)).map { _ in letters.randomElement()! }
            // A backslash at the end has nothing to take the meaning from.
            var isEscaped = false
            for scalar in scalars { isEscaped = !isEscaped && scalar == "\\" }
            if isEscaped { scalars.append("a") }
            let text = String(String.UnicodeScalarView(scalars))
            let pattern = try NamePattern(text)
            #expect(pattern.text.unicodeScalars.elementsEqual(scalars))
            for _ in 0..<4 {
                let name = (0..<Int.random(in: 0...8)).map { _ in letters.randomElement()! }
                let expected = Self.matches(scalars[...], name[...])
                let string = String(String.UnicodeScalarView(name))
                #expect(pattern.matches(string) == expected, "\(text.debugDescription) \(string.debugDescription)")
                expected ? (found.yes += 1) : (found.no += 1)
            }
        }
        #expect(found.yes > 1000 && found.no > 1000, "\(found)")
    }

    @Test(arguments: [
        ("mail/*", "mail/alice", true), ("mail/*", "mail/", true), ("mail/*", "mail", false),
        ("mail/*", "xmail/a", false), ("*", "", true), ("?", "", false), ("?", "😀", true),
        ("a\\*", "a*", true), ("a\\*", "ab", false), ("\\\\", "\\", true), ("\\a", "a", true),
        ("A", "a", false), ("**a**", "a", true), ("a", "a\n", false), (".*", "x", false), ("[a]", "a", false),
    ]) func plainCases(_ pattern: String, _ name: String, _ expected: Bool) throws {
        #expect(try NamePattern(pattern).matches(name) == expected)
    }

    /// Patterns that take a matcher which goes back to each star exponential time.
    @Test func hostilePatternsAreFast() throws {
        let name = String(repeating: "a", count: 1024)
        for piece in ["*a", "*?", "a*", "*a*b", "?*"] {
            let pattern = try NamePattern(String(repeating: piece, count: 1000 / piece.utf8.count) + "c")
            let clock = ContinuousClock()
            let time = clock.measure { for _ in 0..<10 { #expect(!pattern.matches(name)) } }
            #expect(time < .seconds(5), "\(piece): \(time)")
        }
    }

    @Test(arguments: [
        "", String(repeating: "a", count: 1025), "a\\", "a\\\\\\", "a\nb", "a\u{0}", "a\u{7F}", "a\u{85}",
        "a\u{202E}b", "a\u{200B}b", "a\u{2028}b", "a\u{2029}b", "\u{FEFF}a", "a\u{1B}[2J",
    ]) func isRefused(_ text: String) {
        #expect { try NamePattern(text) } throws: { ($0 as? AccessError)?.code == .notAccepted }
    }
}
