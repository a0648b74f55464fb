import Foundation
import TestServers
import Testing

/// A home whose secrets lie in PostgreSQL alone.
extension ScratchHome {
    /// - Parameters:
    ///   - connection: libpq's.
    ///   - count: secrets in it.
    static func served(_ connection: String, _ count: Int = 0) throws -> ScratchHome {
        let home = try ScratchHome()
        try home.keyroll("store", "copy", "secrets", "pg", "--kind", "postgres", "--connection", connection)
        try home.keyroll("store", "remove", "secrets")
        if count > 0 {
            let file = try home.write("accounts.jsonl", Secrets.accounts(count))
            try home.keyroll("import", file)
        }
        return home
    }

    /// Writes another value behind a key of the store's entry in `keyroll.yaml`.
    func setStore(_ key: String, _ value: String) throws {
        let path = file("keyroll.yaml")
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let changed = lines.map { $0.hasPrefix("    \(key):") ? "    \(key): \"\(value)\"" : String($0) }
        try changed.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
    }
}
