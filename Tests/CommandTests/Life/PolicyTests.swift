import Foundation
import Testing

/// The policy decides when a generation is rolled, and the states follow NIST SP 800-57.
@Suite struct PolicyTests {
    private func change(_ home: ScratchHome, _ old: String, _ new: String) throws {
        let text = try String(contentsOfFile: home.file("keyroll.yaml"), encoding: .utf8)
        try #require(text.contains(old))
        try text.replacing(old, with: new).write(toFile: home.file("keyroll.yaml"), atomically: false, encoding: .utf8)
    }

    @Test func rollsOnceTheCryptoperiodIsOver() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(10))
        try home.keyroll("status")
        try change(home, "cryptoperiod: 90d", "cryptoperiod: 2s")
        Thread.sleep(forTimeInterval: 2.1)
        let late = try home.keyroll("status", "--json", exits: 3)
        #expect(try late.decoded(Census.self).overdue)
        let report: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(report.moved == 10 && report.generation == 2)
    }

    @Test func propagationDelayIsWaitedOut() throws {
        let home = try ScratchHome()
        let secrets = Secrets(10)
        try home.fill(secrets)
        try change(home, "propagationDelay: 0s", "propagationDelay: 3s")
        let first: Report = try home.keyroll("rotate", "--force", "--json").decoded()
        #expect(first.scanned == 0 && first.generation == 1)
        #expect(try home.census().generations.map(\.state) == ["active", "pre-activation"])
        // Asking again does not publish another one.
        try home.keyroll("rotate", "--force")
        #expect(try home.census().generations.count == 2)
        Thread.sleep(forTimeInterval: 3.1)
        let second: Report = try home.keyroll("rotate", "--json").decoded()
        #expect(second.moved == 10 && second.generation == 2)
        try home.expectContents(secrets)
    }

    @Test func generationsRiseAndStatesAreKept() throws {
        let home = try ScratchHome()
        try home.fill(Secrets(5))
        try home.keyroll("generation", "create", "--reason", "drill")
        try home.keyroll("generation", "create")
        try home.keyroll("generation", "activate", "3")
        try home.keyroll("generation", "activate", "2", exits: 77).expectRefusal("generation 3 is active")
        try home.keyroll("generation", "activate", "1", exits: 77).expectRefusal("generation 1 is deactivated")
        try home.keyroll("generation", "activate", "9", exits: 66).expectRefusal("no generation 9")
        let listed = try home.keyroll("generation", "list").text
        #expect(listed.contains("drill") && listed.contains("generation 2"))
        try home.keyroll("status", exits: 3)
        try home.keyroll("rotate")
        #expect(try home.census().counts == [3: 5])
        try home.keyroll("status")
    }

    static let wrong: [(old: String, new: String, says: [String])] = [
        ("cryptoperiod: 90d", "cryptoperiod: soon", [":5:", "'policy.cryptoperiod'", "duration"]),
        ("cryptoperiod: 90d", "cryptoperiod: 0", ["'policy.cryptoperiod'"]),
        ("keepDeactivated: 2", "keepDeactivated: two", ["'policy.keepDeactivated'"]),
        ("soakTime", "soaktime", ["'policy.soaktime'", "soakTime"]),
        ("format: 1", "format: 2", [":2:", "newer keyroll"]),
        ("provider: keyFile", "provider: pigeon", ["'rootKey.provider'"]),
        ("kind: sqlite", "kind: oracle", ["kind"]),
        ("group: default", "group: default\ngroup: other", ["keyroll.yaml"]),
        ("stores:", "shops:", ["'shops'"]),
    ]

    @Test(arguments: wrong) func wrongConfigurationIs78(_ wrong: (old: String, new: String, says: [String])) throws {
        let home = try ScratchHome()
        try home.fill(Secrets(3))
        try change(home, wrong.old, wrong.new)
        let before = try home.files()
        for command in ["get secret-0", "rotate --force"] {
            let outcome = try home.keyroll.run(command.split(separator: " ").map(String.init))
            #expect(outcome.code == 78)
            outcome.expectRefusal(home.file("keyroll.yaml"))
            outcome.expectErrors(wrong.says)
        }
        #expect(try home.files() == before)
    }
}
