/// How an import file is to be read.
public enum ImportFormat: String, Sendable, Hashable, CaseIterable {
    /// A folder tree or a single file: every file is a secret, its path below the folder is its name.
    case files
    /// JSON Lines: every line is a JSON object (RFC 8259) with `name` and `secret` or `secretBase64`.
    case jsonl
    /// What browsers and password managers export: RFC 4180, with a header line that names the columns.
    case csv

    /// The format that a file's extension tells, in any case; `nil` if it tells none.
    init?(extensionOf path: String) {
        let base = path.utf8.split(separator: UInt8(ascii: "/")).last ?? path.utf8[...]
        guard let dot = base.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        switch String(base[base.index(after: dot)...])?.lowercased() {
        case "jsonl", "ndjson", "json": self = .jsonl
        case "csv": self = .csv
        default: return nil
        }
    }
}
