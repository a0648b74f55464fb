import Foundation
import Testing

/// Homes with a recovery key, and what the tests of custody ask of them.
extension ScratchHome {
    /// A home whose recovery key lies beside it.
    ///
    /// - Parameter policy: lines of `keyroll.yaml` to change, such as `["soakTime": "0"]`.
    static func guarded(_ policy: [String: String] = [:]) throws -> ScratchHome {
        let home = try ScratchHome(isMade: false)
        try home.keyroll("init", "--recovery-key", home.recoveryKey)
        try home.setPolicy(policy)
        return home
    }

    /// A home that retires what nothing needs any more at once, and destroys what it is told to at once.
    static func quick(_ policy: [String: String] = [:]) throws -> ScratchHome {
        try guarded(["soakTime": "0", "keepDeactivated": "0", "destroyRetention": "0"].merging(policy) { $1 })
    }

    func setPolicy(_ policy: [String: String]) throws {
        let lines = try String(contentsOfFile: file("keyroll.yaml"), encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let changed = lines.map { line in
            let key = line.split(separator: ":").first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
            return policy[key].map { "  \(key): \($0)" } ?? String(line)
        }
        try changed.joined(separator: "\n").write(
            toFile: file("keyroll.yaml"), atomically: false, encoding: .utf8)
    }

    /// The bundles that the ring knows of, by generation.
    func knownBundles(sourceLocation: SourceLocation = #_sourceLocation) throws -> [Int: String] {
        let lines = try keyroll("archive", "list", sourceLocation: sourceLocation).lines
        return Dictionary(
            uniqueKeysWithValues: try lines.map { line in
                let parts = line.split(separator: "\t")
                let number = try #require(Int(parts[1].dropFirst("generation ".count)), "\(line)")
                return (number, String(parts[0]))
            })
    }

    /// The names of the files in `bundles`.
    func bundleNames() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: file("bundles")).sorted()
    }

    /// Every bundle is there and right, and no draft of one is left behind.
    func expectBundlesWhole(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try keyroll("archive", "verify", sourceLocation: sourceLocation)
        let drafts = try bundleNames().filter { $0.contains(".new-") }
        #expect(drafts.isEmpty, "drafts are left behind: \(drafts)", sourceLocation: sourceLocation)
    }

    /// The lines of `evidence.jsonl`, each as an object.
    func evidence() throws -> [[String: Any]] {
        try Data(contentsOf: URL(fileURLWithPath: file("evidence.jsonl"))).split(separator: 10).map {
            try #require(try JSONSerialization.jsonObject(with: $0) as? [String: Any])
        }
    }

    /// Copies the whole home to another folder beside it.
    func twin(_ name: String) throws -> Keyroll {
        let twin = Keyroll(home: folder + "/" + name)
        try FileManager.default.copyItem(atPath: path, toPath: twin.home)
        return twin
    }

    /// Puts a folder in the place of the home.
    func replace(by folder: String) throws {
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: folder, toPath: path)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }
}

extension Keyroll {
    /// Every secret with its plaintext, as an export gives it.
    func secrets(sourceLocation: SourceLocation = #_sourceLocation) throws -> Secrets {
        try Secrets(jsonLines: self("export", "--format", "jsonl", sourceLocation: sourceLocation))
    }

    func census() throws -> Census { try run(["status", "--json"]).decoded() }
}
