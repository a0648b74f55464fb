import Foundation
import Testing

/// A key store and a secret store restored from different days: either works, or is refused before anything is written.
@Suite struct DifferentDaysTests {
    private static let keys = ["keys.sqlite", "keys-copy.sqlite"]

    /// Three days with a rotation and a few secrets more on each: the key store, the secret store and the bundles of
    /// each day, and what the secret store then held.
    private func days() throws -> (ScratchHome, [Secrets]) {
        let home = try ScratchHome.guarded(["soakTime": "0", "keepDeactivated": "5"])
        var all: [String: Data] = [:]
        var days: [Secrets] = []
        for day in 0..<3 {
            let more = Secrets(20, "day-\(day)")
            try home.fill(more)
            all.merge(more.plaintexts) { $1 }
            if day > 0 { try home.keyroll("rotate", "--force") }
            days.append(Secrets(all))
            try home.copy(Self.keys + ["secrets.sqlite", "bundles"], to: home.folder + "/day-\(day)")
        }
        return (home, days)
    }

    private func put(_ names: [String], of day: Int, into home: ScratchHome) throws {
        for name in names {
            for suffix in ["", "-wal", "-shm"] where home.has(name + suffix) { try home.remove(name + suffix) }
            try FileManager.default.copyItem(
                atPath: "\(home.folder)/day-\(day)/\(name)", toPath: home.file(name))
        }
    }

    @Test func allCombinations() throws {
        let (home, days) = try days()
        let commands = [
            ["get", "day-0-1"], ["put", "new"], ["rotate", "--force"], ["reencrypt", "--compromised", "1"], ["verify"],
            ["export", "--format", "jsonl"], ["archive", "create"], ["status"], ["backup", home.folder + "/never"],
        ]
        for ring in 0..<3 {
            for store in 0..<3 {
                let what = "ring of day \(ring), store of day \(store)"
                try put(Self.keys + ["bundles"], of: ring, into: home)
                try put(["secrets.sqlite"], of: store, into: home)
                if store > ring {
                    let before = try home.files()
                    for command in commands {
                        let outcome = try home.keyroll.run(command, input: Data("never".utf8))
                        #expect(outcome.code == 78, "\(what): \(command): \(outcome.errors)")
                        outcome.expectRefusal("generation \(ring + 2)")
                    }
                    #expect(try home.files() == before, "\(what)")
                    #expect(!FileManager.default.fileExists(atPath: home.folder + "/never"))
                } else {
                    try home.expectContents(days[store])
                    try home.keyroll("put", "new", input: Data("plaintext".utf8))
                    try home.keyroll("rotate", "--force")
                    var now = days[store]
                    now.plaintexts["new"] = Data("plaintext".utf8)
                    try home.expectContents(now)
                    try home.expectBundlesWhole()
                    // Numbers that a bundle or a store knows are not given out again.
                    #expect(try home.census().active == ring + 2, "\(what)")
                }
            }
        }
    }

    /// With today's bundles an older ring gives out no number that they know.
    @Test func anOlderRingWithTodaysBundles() throws {
        let (home, days) = try days()
        try put(Self.keys, of: 0, into: home)
        try put(["secrets.sqlite"], of: 0, into: home)
        try home.keyroll("rotate", "--force")
        #expect(try home.census().active == 4)
        try home.expectContents(days[0])
    }

    /// Two copies of the ring from different days: the newer one counts.
    @Test(arguments: keys) func oneCopyOfTheRingIsOlder(_ name: String) throws {
        let (home, days) = try days()
        try put([name], of: 0, into: home)
        try home.expectContents(days[2])
        try home.keyroll("rotate", "--force")
        try home.expectContents(days[2])
    }
}
