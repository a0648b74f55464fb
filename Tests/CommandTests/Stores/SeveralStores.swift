import Foundation
import Testing

/// Homes with several stores.
extension ScratchHome {
    /// A home with the stores `secrets`, `second` … of which one can be taken away; recovery key at hand, nothing soaks.
    static func withStores(_ more: String...) throws -> ScratchHome {
        let home = try ScratchHome.quick()
        for name in more { try home.keyroll("store", "add", name, "--kind", "sqlite", "--path", name + ".sqlite") }
        return home
    }

    /// Takes a store's file away, as an unmounted disk does.
    func takeAway(_ name: String) throws { try move(name + ".sqlite", to: name + ".away") }

    func putBack(_ name: String) throws { try move(name + ".away", to: name + ".sqlite") }

    private func move(_ old: String, to new: String) throws {
        for end in ["", "-wal", "-shm"] where has(old + end) {
            try FileManager.default.moveItem(atPath: file(old + end), toPath: file(new + end))
        }
    }

    /// What `store list --json` says, by name.
    func stores() throws -> [String: [String: Any]] {
        let listed = try #require(try keyroll.run(["store", "list", "--json"]).object()["stores"] as? [[String: Any]])
        return Dictionary(uniqueKeysWithValues: listed.map { ($0["name"] as? String ?? "", $0) })
    }

    func put(_ name: String, _ text: String, _ options: String..., exits code: Int32 = 0) throws {
        let outcome = try keyroll.run(["put", name] + options, input: Data(text.utf8))
        #expect(outcome.code == code, "\(outcome.errors)")
    }

    func configuration() throws -> String { try String(contentsOfFile: file("keyroll.yaml"), encoding: .utf8) }
}
