/// A file of NIST's Cryptographic Algorithm Validation Program: cases with names and values, under headings that
/// say what the cases after them have in common.
struct ResponseFile {
    struct Case {
        /// `[PTlen = 104]` and the like.
        var heading: [String: Int]
        /// `Key = …`, in hexadecimal digits.
        var fields: [String: String] = [:]
        /// Whether the file says that this one has to be refused.
        var mustFail = false

        /// A field's bytes; empty where it is empty or missing.
        func bytes(_ name: String) -> [UInt8] { CryptographyTests.bytes(fields[name] ?? "") }
    }

    var cases: [Case] = []

    /// - Parameters:
    ///   - name: the file's path in the package.
    ///   - beginning: the field that a case begins with.
    init(_ name: String, beginning: String) throws {
        var heading: [String: Int] = [:]
        for rawLine in try PublishedVectors.text(name).split(whereSeparator: \.isNewline) {
            let line = rawLine.filter { $0 != " " }
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("[") {
                let parts = line.dropFirst().dropLast().split(separator: "=")
                heading[String(parts[0])] = Int(parts[1])
            } else if line == "FAIL" {
                cases[cases.count - 1].mustFail = true
            } else if let equals = line.firstIndex(of: "=") {
                let key = String(line[..<equals])
                if key == beginning { cases.append(Case(heading: heading)) }
                cases[cases.count - 1].fields[key] = String(line[line.index(after: equals)...])
            }
        }
    }
}
