import Foundation
import Testing

/// `store list` and `store add`.
@Suite struct StoreAddTests {
    @Test func aNewStore() throws {
        let home = try ScratchHome()
        try home.put("a", "1")
        try home.keyroll("rotate", "--force")
        try home.keyroll("store", "add", "second", "--kind", "sqlite", "--path", "more.sqlite")
        let stores = try home.stores()
        #expect(stores.count == 2)
        let first = try #require(stores["secrets"]), second = try #require(stores["second"])
        #expect(first["kind"] as? String == "sqlite" && first["place"] as? String == home.file("secrets.sqlite"))
        #expect(first["secrets"] as? Int == 1 && first["fence"] as? Int == 2 && first["reachable"] as? Bool == true)
        #expect(second["place"] as? String == home.file("more.sqlite"))
        #expect(second["secrets"] as? Int == 0 && second["fence"] as? Int == 2)
        #expect(try home.keyroll("store", "list").lines.map { $0.split(separator: "\t")[0] } == ["secrets", "second"])
        try home.keyroll("doctor")
        try home.keyroll("status")
        try home.put("b", "2", "--store", "second")
        try home.expectContents(Secrets(["a": Data("1".utf8), "b": Data("2".utf8)]))
        #expect(try home.evidence().contains { ($0["facts"] as? [String: Any])?["store"] as? String == "second" })
    }

    /// Everything that the file said it says afterwards; who may read it stays, too.
    @Test func theConfigurationKeepsItsValuesAndItsMode() throws {
        let home = try ScratchHome()
        let edited =
            try home.configuration()
            .replacing("cryptoperiod: 90d", with: "cryptoperiod: 17d")
            .replacing("  - name: secrets\n", with: "  - ")
            .replacing("-     kind", with: "- kind") + "bundles: bundles\n# a comment\n"
        try edited.write(toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
        try home.setMode("keyroll.yaml", 0o400)
        try home.keyroll("store", "add", "second", "--kind", "sqlite", "--path", "more.sqlite")
        let written = try home.configuration()
        #expect(
            written.contains("cryptoperiod: 17d") && written.contains("name: secrets") && written.contains("second"))
        let attributes = try FileManager.default.attributesOfItem(atPath: home.file("keyroll.yaml"))
        #expect(attributes[.posixPermissions] as? Int == 0o400)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path).allSatisfy { !$0.contains(".new-") })
    }

    @Test func aStoreOfThisGroupIsJoined() throws {
        let home = try ScratchHome()
        try home.keyroll("store", "add", "second", "--kind", "sqlite", "--path", "second.sqlite")
        try home.put("a", "1", "--store", "second")
        let shortened = try home.configuration().replacing(/\ \ - name: second\n.*\n.*\n/, with: "")
        try shortened.write(toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
        try home.keyroll("rotate", "--force")
        try home.keyroll("get", "a", exits: 66)
        let added = try home.keyroll("store", "add", "again", "--kind", "sqlite", "--path", home.file("second.sqlite"))
        #expect(added.text.contains("added store 'again'") && added.text.contains("1 secrets"))
        #expect(try home.stores()["again"]?["fence"] as? Int == 2)
        #expect(try home.keyroll("get", "a").text == "1")
        try home.keyroll("rotate")
        #expect(try home.census().counts == [2: 1])
    }

    @Test func refusals() throws {
        let home = try ScratchHome()
        let other = try ScratchHome()
        try other.put("x", "y")
        let before = try home.files()
        func add(_ arguments: String..., exits code: Int32) throws -> Outcome {
            let outcome = try home.keyroll.run(["store", "add"] + arguments)
            #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
            #expect(outcome.output.isEmpty)
            return outcome
        }
        _ = try add("secrets", "--kind", "sqlite", "--path", "more.sqlite", exits: 73)
        _ = try add("more", "--kind", "sqlite", "--path", "secrets.sqlite", exits: 73)
        _ = try add("more", "--kind", "sqlite", "--path", home.path + "/../home/secrets.sqlite", exits: 73)
        _ = try add("a b", "--kind", "sqlite", "--path", "more.sqlite", exits: 64)
        _ = try add("more", exits: 64)
        _ = try add("more", "--kind", "sqlite", exits: 64)
        _ = try add("more", "--kind", "sqlite", "--path", "x", "--schema", "y", exits: 64)
        _ = try add("more", "--kind", "sqlite", "--path", other.file("secrets.sqlite"), exits: 78)
        _ = try add("more", "--kind", "sqlite", "--path", "no/such/folder/x", exits: 69)
        let secret = try add("more", "--kind", "postgres", "--connection", "postgresql://me:hunter2@db/x", exits: 64)
        secret.expectErrors(["carries a password"])
        #expect(try home.files() == before)
    }

    /// A password does not belong there, and the refusal does not repeat it.
    @Test func aPasswordInTheConfiguration() throws {
        let home = try ScratchHome()
        let text =
            try home.configuration()
            + "  - kind: postgres\n    connection: \"host=db password=hunter2\"\n"
        try text.write(toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
        let outcome = try home.keyroll("list", exits: 78)
        outcome.expectRefusal("carries a password", "keyroll.yaml:\(text.split(separator: "\n").count):")
        #expect(!outcome.errors.contains("hunter2"))
    }
}
