import Foundation
import Testing

/// One name space over several stores.
@Suite struct StoreNamesTests {
    @Test func putGetMoveRemove() throws {
        let home = try ScratchHome.withStores("second")
        try home.put("a", "1")
        try home.put("b", "2", "--store", "second")
        try home.put("b", "no", exits: 73)
        try home.put("b", "3", "--replace")
        try home.put("a", "no", "--replace", "--store", "second", exits: 73)
        try home.put("c", "no", "--store", "third", exits: 66)
        let listed = try home.keyroll("list", "--json").objects()
        #expect(listed.map { $0["name"] as? String } == ["a", "b"])
        #expect(listed.map { $0["store"] as? String } == ["secrets", "second"])
        #expect(try home.keyroll("list", "--store", "second").lines == ["b"])
        #expect(try home.keyroll("get", "b").text == "3" && home.keyroll("get", "b", "--store", "second").text == "3")
        try home.keyroll("get", "b", "--store", "secrets", exits: 66).expectRefusal("in store 'secrets'")
        try home.keyroll("mv", "b", "a", exits: 73).expectRefusal("in store 'secrets'")
        try home.keyroll("mv", "b", "c")
        #expect(try home.keyroll("explain", "c").text.contains(home.file("second.sqlite")))
        try home.keyroll("rm", "c")
        try home.keyroll("rm", "c", exits: 66)
        #expect(try home.keyroll("list").lines == ["a"])
    }

    /// The listing is one order over all stores, page by page.
    @Test func mergedInTheOrderOfBytes() throws {
        let home = try ScratchHome.withStores("second", "third")
        var all = Secrets()
        for (index, store) in ["secrets", "second", "third"].enumerated() {
            var part = Secrets(1500, "p\(index)", bytes: 8)
            for (name, plaintext) in part.plaintexts {
                part.plaintexts[name] = nil
                part.plaintexts[String(name.reversed())] = plaintext
            }
            let file = try home.write("\(store).jsonl", part.jsonLines())
            try home.keyroll("import", file, "--store", store)
            all.plaintexts.merge(part.plaintexts) { $1 }
        }
        #expect(
            try home.stores().mapValues { $0["secrets"] as? Int } == ["secrets": 1500, "second": 1500, "third": 1500])
        let sorted = all.plaintexts.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(try home.keyroll("list").lines == sorted)
        #expect(try home.keyroll("list", "--prefix", "99").lines == sorted.filter { $0.hasPrefix("99") })
        try home.expectContents(all)
        #expect(
            try Secrets(jsonLines: home.keyroll("export", "--format", "jsonl", "--store", "third")).plaintexts.count
                == 1500)
        let report: Report = try home.keyroll("rotate", "--force", "--json").decoded()
        #expect(report.moved == 4500 && report.addsUp)
        try home.expectContents(all)
    }

    /// What an import hides or is hidden by is said, and `doctor` goes on saying it.
    @Test func namesInTwoStores() throws {
        let home = try ScratchHome.withStores("second")
        try home.put("a", "1")
        let file = try home.write("in.jsonl", "{\"name\":\"a\",\"secret\":\"2\"}\n{\"name\":\"b\",\"secret\":\"2\"}\n")
        let imported = try home.keyroll("import", file, "--store", "second")
        imported.expectErrors(["1 names are in more than one store, such as 'a' (secrets, second)"])
        #expect(try home.keyroll("doctor", exits: 3).text.contains("1 names are in more than one store"))
        #expect(try home.keyroll("get", "a").text == "1")
        #expect(try home.keyroll("list").lines == ["a", "b"])
        #expect(try home.keyroll.secrets().plaintexts == ["a": Data("1".utf8), "b": Data("2".utf8)])
        try home.keyroll("rm", "a")
        try home.keyroll("get", "a", exits: 66)
        try home.keyroll("doctor")
    }

    /// Also from a configuration of before stores had names.
    @Test func aBackupHoldsAllOfThem() throws {
        let home = try ScratchHome.withStores("second")
        try home.put("a", "1")
        try home.put("b", "2", "--store", "second")
        try home.keyroll("backup", home.folder + "/copy", "--with-root")
        let restored = Keyroll(home: home.folder + "/restored")
        try restored("restore", home.folder + "/copy")
        #expect(try restored("get", "b", "--store", "second").text == "2")
        #expect(try restored.secrets() == home.keyroll.secrets())
        try restored("doctor")
    }
}
