/// Which secrets are meant: a name in which `*` stands for any text and `?` for one character; `\` takes the meaning
/// from the one behind it.
public struct NamePattern: Sendable, Equatable {
    /// As it was written.
    public let text: String
    private let tokens: [Token]

    private enum Token: Equatable {
        case one
        case any
        case exactly(Character.UnicodeScalarView.Element)
    }

    /// - Parameter text: 1 to 1,024 bytes.
    /// - Throws: ``AccessError`` with `notAccepted`.
    public init(_ text: String) throws {
        guard !text.isEmpty, text.utf8.count <= 1024 else {
            throw AccessError(.notAccepted, "a pattern of names has 1 to 1024 bytes")
        }
        // It stands in a text that people sign.
        guard StatementText.isPlain(text) else {
            throw AccessError(.notAccepted, "a pattern of names holds a control character")
        }
        var tokens: [Token] = []
        var isEscaped = false
        for scalar in text.unicodeScalars {
            switch (isEscaped, scalar) {
            case (false, "\\"):
                isEscaped = true
                continue
            // Two in a row mean no more than one.
            case (false, "*"): if tokens.last != .any { tokens.append(.any) }
            case (false, "?"): tokens.append(.one)
            default: tokens.append(.exactly(scalar))
            }
            isEscaped = false
        }
        guard !isEscaped else { throw AccessError(.notAccepted, "the pattern '\(text)' ends with a backslash") }
        self.text = text
        self.tokens = tokens
    }

    /// Whether a name is meant. Takes time in proportion to both lengths, whatever the pattern is.
    public func matches(_ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var (token, place) = (0, 0)
        // Where to go on after the last star, if what follows it does not fit.
        var retry: (token: Int, place: Int)?
        while place < name.count {
            if token < tokens.count, tokens[token] == .any {
                retry = (token + 1, place)
                token += 1
            } else if token < tokens.count, tokens[token] == .one || tokens[token] == .exactly(name[place]) {
                token += 1
                place += 1
            } else if let star = retry {
                retry = (star.token, star.place + 1)
                (token, place) = (star.token, star.place + 1)
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy { $0 == .any }
    }
}
