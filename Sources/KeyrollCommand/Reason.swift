import ArgumentParser

/// Why something is done, in a person's words: short enough for every place that keeps it.
enum Reason {
    /// The most bytes it may have.
    private static let limit = 1024

    /// For `@Option(transform:)`.
    static func check(_ text: String) throws -> String {
        guard !text.isEmpty, text.utf8.count <= limit, Output.shown(text) == text else {
            throw ValidationError("a reason has to be 1 to \(limit) bytes of text without control characters")
        }
        return text
    }
}
