/// Which keyroll this is.
enum Version {
    /// The only place where the number stands: the Makefile reads it here, and from there man pages and package have it.
    static let number = "0.2.0"

    /// The number, and the commit where it is known: `0.2.0 (539fa51)`.
    static var text: String { BuildCommit.text.isEmpty ? number : "\(number) (\(BuildCommit.text))" }
}
