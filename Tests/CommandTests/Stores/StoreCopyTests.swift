import Foundation
import Glibc
import Testing

/// `store copy` and `store remove`: a store moves to another place and loses nothing on the way.
@Suite struct StoreCopyTests {
    private func copy(
        _ home: ScratchHome, _ arguments: String..., exits code: Int32 = 0
    ) throws -> [String: Any] {
        let outcome = try home.keyroll.run(["store", "copy"] + arguments + ["--json"])
        #expect(outcome.code == code, "\(outcome.errors)")
        return try outcome.object()
    }

    /// Secrets under two generations, with contexts, empty and large.
    private func filled() throws -> (ScratchHome, Secrets) {
        let home = try ScratchHome.quick()
        var secrets = Secrets(300, "old")
        try home.fill(secrets)
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "activate", "2")
        var random = SystemRandomNumberGenerator()
        var more = Secrets(200, "young", bytes: 100)
        more.plaintexts["empty"] = Data()
        more.plaintexts["large"] = .random(5 << 20, using: &random)
        more.contexts["young-3"] = "a context"
        try home.fill(more)
        secrets.plaintexts.merge(more.plaintexts) { $1 }
        secrets.contexts.merge(more.contexts) { $1 }
        return (home, secrets)
    }

    @Test func movesAStore() throws {
        let (home, secrets) = try filled()
        let exported = try home.keyroll("export", "--format", "cose").lines.sorted()
        let target = home.folder + "/elsewhere.sqlite"
        let report = try copy(home, "secrets", "new", "--kind", "sqlite", "--path", target)
        #expect(report["copied"] as? Int == 502 && report["same"] as? Int == 502 && report["secrets"] as? Int == 502)
        #expect(report["changed"] as? Int == 0 && report["closedCount"] as? Int == 0)
        #expect(report["complete"] as? Bool == true && report["place"] as? String == target)
        // Under both generations, as they were.
        #expect(try home.census().counts == [1: 600, 2: 404])
        #expect(try home.stores()["new"]?["fence"] as? Int == 2)
        let removed = try home.keyroll("store", "remove", "secrets")
        removed.expectErrors([home.file("secrets.sqlite"), "backup forget"])
        #expect(try Array(home.stores().keys) == ["new"])
        #expect(try home.keyroll("export", "--format", "cose").lines.sorted() == exported)
        try home.expectContents(secrets)
        // Nothing was deleted, and what it needs is kept.
        #expect(home.has("secrets.sqlite"))
        #expect(try home.keyroll("backup", "list").text.contains(home.file("secrets.sqlite")))
        try home.keyroll("doctor")
        try home.remove("secrets.sqlite")
        try home.keyroll("rotate")
        try home.expectContents(secrets)
    }

    /// What the source needs is not destroyed as long as it may still be used.
    @Test func theOldStoreIsACopy() throws {
        let home = try ScratchHome.quick()
        try home.put("a", "1")
        _ = try copy(home, "secrets", "new", "--kind", "sqlite", "--path", "new.sqlite")
        try home.keyroll("store", "remove", "secrets")
        try home.keyroll("rotate", "--force")
        try home.keyroll("rotate")
        #expect(try home.census().generations.map(\.archived) == [true, false])
        try home.keyroll("generation", "destroy", "1", exits: 77).expectRefusal(
            "registered copies still need generation 1")
        let identity = try #require(home.keyroll("backup", "list").text.split(separator: "\t").first)
        try home.keyroll("backup", "forget", String(identity))
        try home.keyroll("generation", "destroy", "1")
    }

    @Test func whatChangesMeanwhileIsNoticed() throws {
        let home = try ScratchHome.quick()
        let secrets = Secrets(50)
        try home.fill(secrets)
        _ = try copy(home, "secrets", "new", "--kind", "sqlite", "--path", "new.sqlite")
        try home.put("secret-7", "changed", "--replace")
        try home.put("added", "later", "--store", "secrets")
        try home.keyroll("mv", "secret-8", "renamed")
        try home.keyroll("rm", "secret-9")
        let before = try home.configuration()
        try home.keyroll("store", "remove", "secrets", exits: 77).expectRefusal("3 of 50 secrets", "store copy secrets")
        #expect(try home.configuration() == before)
        #expect(try home.keyroll("get", "secret-7").text == "changed")

        let report = try copy(home, "secrets", "new")
        #expect(report["copied"] as? Int == 3 && report["same"] as? Int == 50 && report["changed"] as? Int == 0)
        let contents = try home.keyroll.secrets()
        try home.keyroll("store", "remove", "secrets")
        #expect(try home.keyroll.secrets() == contents)
        #expect(try home.keyroll("get", "secret-7").text == "changed" && home.keyroll("get", "added").text == "later")
        try home.keyroll("get", "secret-9", exits: 66)
        try home.keyroll("get", "secret-8", exits: 66)
    }

    /// A copy in use takes only what the active generation wraps; a rotation moves the rest first.
    @Test func anOlderGenerationIsLeft() throws {
        let home = try ScratchHome.quick()
        try home.fill(Secrets(20))
        _ = try copy(home, "secrets", "new", "--kind", "sqlite", "--path", "new.sqlite")
        try home.put("secret-7", "changed", "--replace")
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "activate", "2")
        let report = try copy(home, "secrets", "new", exits: 65)
        #expect(report["changed"] as? Int == 1 && report["copied"] as? Int == 0 && report["complete"] as? Bool == false)
        try home.keyroll("rotate")
        #expect(try copy(home, "secrets", "new")["same"] as? Int == 20)
        try home.keyroll("store", "remove", "secrets")
        #expect(try home.keyroll("get", "secret-7").text == "changed")
    }

    /// Applications write, rename and delete all the time; in the end everything is where it was.
    @Test func whileWritersRun() throws {
        let home = try ScratchHome.quick()
        let secrets = Secrets(3000, "first")
        try home.fill(secrets)
        let stop = home.folder + "/stop"
        let script = """
            n=0; while [ ! -e \(stop) ]; do n=$((n+1)); printf "w$0-$n" | \(Keyroll.binary) put "w$0-$n" || exit 1; \
            printf "$n" | \(Keyroll.binary) put --replace "w$0" || exit 1; \
            [ $((n % 3)) = 0 ] && { \(Keyroll.binary) rm "w$0-$n" || exit 1; }; done; echo $n
            """
        let writers = try (1...2).map { number in
            try Child(
                "/bin/sh", ["-c", script, "\(number)"],
                environment: ["PATH": "/usr/bin:/bin", "KEYROLL_HOME": home.path])
        }
        usleep(200_000)
        let outcome = try home.keyroll.run(
            ["store", "copy", "secrets", "new", "--kind", "sqlite", "--path", "new.sqlite", "--json"])
        #expect([0, 65].contains(outcome.code), "\(outcome.errors)")
        #expect(try outcome.object()["secrets"] as? Int ?? 0 >= 3000)
        try Data().write(to: URL(fileURLWithPath: stop))
        for writer in writers { #expect(writer.wait().code == 0, "\(writer.errorsSoFar)") }
        let before = try home.keyroll.secrets()
        _ = try copy(home, "secrets", "new")
        try home.keyroll("store", "remove", "secrets")
        let after = try home.keyroll.secrets()
        #expect(after == before)
        #expect(after.plaintexts.filter { $0.key.hasPrefix("first") } == secrets.plaintexts)
        try home.keyroll("verify")
        try home.keyroll("doctor")
    }

    /// Killed anywhere: the home is as before, and the same command goes on.
    @Test(arguments: [0.02, 0.05, 0.1, 0.2]) func killed(after seconds: Double) throws {
        let home = try ScratchHome.quick()
        let file = try home.write("many.jsonl", Secrets.accounts(20_000))
        try home.keyroll("import", file)
        let arguments = ["store", "copy", "secrets", "new", "--kind", "sqlite", "--path", "new.sqlite"]
        let child = try home.keyroll.start(arguments)
        usleep(UInt32(seconds * 1e6))
        child.signal(SIGKILL)
        _ = child.wait()
        try home.expectAllOpen(home.stores().count == 1 ? 20_000 : 40_000)
        if try home.stores().count == 1 {
            try home.put("accounts/77", "changed", "--replace")
            try home.keyroll("rm", "accounts/78")
            if home.has("new.sqlite") {
                // Half a copy is no store that somebody may protect in.
                let added = try home.keyroll.run(["store", "add", "half", "--kind", "sqlite", "--path", "new.sqlite"])
                #expect([0, 64].contains(added.code))
                if added.code == 0 { return try home.expectAllOpen(19_999) }
            }
            let again = try home.keyroll.run(arguments)
            #expect(again.code == 0, "\(again.errors)")
            try home.keyroll("store", "remove", "secrets")
            try home.expectAllOpen(19_999)
            #expect(try home.keyroll("get", "accounts/77").text == "changed")
            try home.keyroll("get", "accounts/78", exits: 66)
        }
    }

    /// What does not open there does not open here either: copied as it is, and named.
    @Test func damagedSecretsAreNamed() throws {
        let home = try ScratchHome.quick()
        try home.fill(Secrets(20))
        try Python.damage(home, "flip-key", "secret-3")
        let outcome = try home.keyroll.run(
            ["store", "copy", "secrets", "new", "--kind", "sqlite", "--path", "new.sqlite", "--json"])
        #expect(outcome.code == 65)
        let report = try outcome.object()
        #expect(report["same"] as? Int == 20 && report["closedCount"] as? Int == 1)
        #expect((report["closed"] as? [[String: Any]])?.first?["name"] as? String == "secret-3")
        outcome.expectErrors(["secret-3"])
        try home.keyroll("store", "remove", "secrets")
    }

    @Test func refusals() throws {
        let home = try ScratchHome.withStores("second")
        try home.put("a", "1")
        try home.put("b", "1", "--store", "second")
        let before = try home.configuration()
        let new = ["--kind", "sqlite", "--path", "new.sqlite"]
        for (arguments, code) in [
            (["secrets", "second"] + new, Int32(73)), (["nothing", "new"] + new, 66), (["secrets", "new"], 66),
            (["secrets", "new", "--kind", "sqlite", "--path", "second.sqlite"], 73), (["secrets", "secrets"], 64),
            (["secrets", "new", "--kind", "sqlite", "--path", "no/folder/x"], 69),
        ] {
            let outcome = try home.keyroll.run(["store", "copy"] + arguments)
            #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
        }
        try home.keyroll("store", "remove", "secrets", exits: 77).expectRefusal("1 of 1 secrets of store 'secrets'")
        try home.keyroll("store", "remove", "nothing", exits: 66)
        #expect(try home.configuration() == before && !home.has("new.sqlite"))
        try home.keyroll("rm", "b")
        try home.keyroll("store", "remove", "second")
        try home.keyroll("store", "remove", "secrets", exits: 77).expectRefusal("is the only store")
        #expect(try home.keyroll("get", "a").text == "1")
    }
}
