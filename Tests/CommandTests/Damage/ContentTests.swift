import Foundation
import Testing

/// An altered or misplaced content is found when it is opened, and nothing of it is released.
@Suite struct ContentTests {
    private func expectCaught(
        _ home: ScratchHome, _ names: [String], of count: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for _ in 0..<2 {
            let verify = try home.keyroll("verify", "--json", exits: 65, sourceLocation: sourceLocation)
            verify.expectErrors(names.map { "'\($0)'" }, sourceLocation: sourceLocation)
            let report: Report = try verify.decoded()
            #expect(report.addsUp && report.current == count - names.count, sourceLocation: sourceLocation)
            #expect(report.failed["integrityCheckFailed"] == names.count, sourceLocation: sourceLocation)
            #expect(report.faults.map(\.name).sorted() == names.sorted(), sourceLocation: sourceLocation)
            for name in names {
                let get = try home.keyroll("get", name, exits: 65, sourceLocation: sourceLocation)
                get.expectRefusal("'\(name)'", "integrity check failed", sourceLocation: sourceLocation)
                try home.keyroll("mv", name, "moved", exits: 65, sourceLocation: sourceLocation)
                try home.keyroll("explain", name, exits: 65, sourceLocation: sourceLocation)
            }
            // A rewrap does not look into contents; it neither mends nor hides the damage.
            try home.keyroll("rotate", "--force", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [0, 1, 100, 1 << 20]) func flippedBit(_ length: Int) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(50))
        try home.keyroll("put", "altered", input: Data(repeating: 0x41, count: length))
        try Python.damage(home, "flip-content", "altered")
        try expectCaught(home, ["altered"], of: 51)
        // Written anew, it is whole again.
        try home.keyroll("put", "altered", "--replace", input: Data("plaintext".utf8))
        try home.expectAllOpen(51)
    }

    @Test(arguments: ["swap-contents", "swap-both"]) func swappedBetweenTwoNames(_ how: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(100))
        try Python.damage(home, how, "secret-3", "secret-30")
        try expectCaught(home, ["secret-3", "secret-30"], of: 100)
        try Python.damage(home, how, "secret-3", "secret-30")
        try home.expectAllOpen(100)
    }

    static let edits = [
        "UPDATE secret SET birth = 2 WHERE name = 'secret-5'",
        "UPDATE secret SET context = CAST('another' AS BLOB) WHERE name = 'secret-5'",
        "UPDATE secret SET context = NULL WHERE name = 'secret-5'",
        "UPDATE secret SET context = x'' WHERE name = 'secret-5'",
    ]

    @Test(arguments: edits) func editedRow(_ edit: String) throws {
        let home = try ScratchHome()
        var secrets = Secrets(20)
        secrets.contexts["secret-5"] = "the right one"
        try home.fill(secrets)
        try home.keyroll("rotate", "--force")
        try Python.damage(home, "sql", "secrets.sqlite", edit)
        try expectCaught(home, ["secret-5"], of: 20)
    }

    @Test func renamedInTheDatabase() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(20))
        try Python.damage(
            home, "sql", "secrets.sqlite", "UPDATE secret SET name = 'admin' WHERE name = 'secret-5'")
        try expectCaught(home, ["admin"], of: 20)
    }

    static let mangled = [
        "x''", "x'd8'", "substr(body, 1, length(body) - 1)", "CAST(body || x'00' AS BLOB)", "substr(body, 2)",
        "zeroblob(60)", "CAST(substr(body, 1, 2) || x'85' || substr(body, 4) AS BLOB)",
    ]

    @Test(arguments: mangled) func mangledBodyIsMalformed(_ body: String) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(20))
        try Python.damage(
            home, "sql", "secrets.sqlite", "UPDATE secret SET body = \(body) WHERE name = 'secret-5'")
        let verify = try home.keyroll("verify", "--json", exits: 65)
        let report: Report = try verify.decoded()
        #expect(report.addsUp && report.current == 19 && report.failed["malformed"] == 1)
        #expect(report.faults.map(\.name) == ["secret-5"])
        try home.keyroll("get", "secret-5", exits: 65).expectRefusal("'secret-5'")
    }

    @Test func contentWithoutSlotAndSlotWithoutContent() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(200))
        try Python.damage(home, "sql", "secrets.sqlite", "DELETE FROM secret WHERE name = 'secret-5'")
        let lost = try home.keyroll("verify", "--json", exits: 65)
        let report: Report = try lost.decoded()
        #expect(report.addsUp && report.scanned == 200 && report.current == 199 && report.failed["malformed"] == 1)
        try Python.damage(home, "sql", "secrets.sqlite", "DELETE FROM key_page WHERE page = 2")
        let more: Report = try home.keyroll("verify", "--json", exits: 65).decoded()
        #expect(more.addsUp && more.current < 199 && more.current > 90)
        let get = try home.keyroll.run(["get", more.faults.last?.name ?? ""])
        #expect(get.code != 0 && get.output.isEmpty && get.errorLines.count == 1)
    }
}
