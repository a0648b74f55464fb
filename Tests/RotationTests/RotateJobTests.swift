import Files
import Foundation
import Home
import Jobs
import KeyManagement
import Keyroll
import Rotation
import SecretStores
import Testing

/// The scheduled job, end to end in one process.
@Suite(.timeLimit(.minutes(15))) struct RotateJobTests {
    @Test func nothingIsDue() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(100))
            let report = try rotate(home.home)
            #expect(report.plan.isEmpty && report.tally.numbers == [0, 0, 0, 0, 0] && report.generation == 1)
            #expect(home.keeper.keyring.ring.generations.count == 1)
        }
    }

    @Test func aForcedRoll() throws {
        try TestHome.run { home in
            let names = TestHome.names(1000)
            try home.fill(names)
            let report = try rotate(home.home, isForced: true)
            #expect(report.tally.numbers == [1000, 1000, 0, 0, 0] && report.generation == 2)
            #expect(report.plan.count == 3 && report.notes.isEmpty && report.faults.isEmpty)
            let ring = try home.again().keeper.keyring.ring
            #expect(ring.generation(1)?.state == .deactivated && ring.active?.number == 2)
            #expect(try home.store.marks().fence == 2)
            try home.expectAll(names)
        }
    }

    @Test func theCryptoperiodIsOver() throws {
        try TestHome.run(policy: Policy(cryptoperiod: 1, propagationDelay: 0, soakTime: 0, keepDeactivated: 0)) {
            home in
            try home.fill(["a"])
            try home.keeper.update { ring in
                let number = ring.active!.number
                #expect(number == 1)
            }
            usleep(1_100_000)
            #expect(try rotate(home.home).generation == 2)
        }
    }

    /// Published in one run, activated in a later one, once every reader has it.
    @Test func thePropagationDelay() throws {
        let policy = Policy(cryptoperiod: 86400, propagationDelay: 1, soakTime: 0, keepDeactivated: 2)
        try TestHome.run(policy: policy) { home in
            try home.fill(["a"])
            let first = try rotate(home.home, isForced: true)
            #expect(first.generation == 1 && home.keeper.keyring.ring.pending?.number == 2)
            #expect(try home.store.marks().fence == 1)
            usleep(1_100_000)
            let second = try rotate(home.home)
            #expect(second.generation == 2 && second.tally.moved == 1)
            #expect(home.keeper.keyring.ring.generations.count == 2)
        }
    }

    /// A policy that was edited is taken over.
    @Test func thePolicyIsTakenOver() throws {
        try TestHome.run { home in
            let path = home.home.layout.configuration
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let edited = text.replacingOccurrences(of: "cryptoperiod: 90d", with: "cryptoperiod: 30d")
            try Array(edited.utf8).withUnsafeBytes { try PrivateFile.write(path, $0, replacing: true) }
            let again = try home.again()
            #expect(again.keeper.keyring.ring.policy.cryptoperiod == 90 * 86400)
            _ = try rotate(again)
            #expect(try home.again().keeper.keyring.ring.policy.cryptoperiod == 30 * 86400)
        }
    }

    @Test func aDryRunWritesNothing() throws {
        try TestHome.run { home in
            let names = TestHome.names(300)
            try home.fill(names)
            let before = try contents(home)
            let slots = try names.map { try home.slot($0) }
            let report = try rotate(home.again(), isForced: true, isDryRun: true)
            #expect(report.isDryRun && report.tally.numbers == [300, 300, 0, 0, 0])
            #expect(report.plan.count == 3 && report.generation == 1)
            #expect(try contents(home) == before)
            #expect(try names.map { try home.slot($0) } == slots)
            #expect(try home.keeper.reload().ring.generations.count == 1)
        }
    }

    /// The files that a dry run must leave alone; the store's log may be touched by its readers.
    private func contents(_ home: TestHome) throws -> [String: [UInt8]] {
        let files = try FileManager.default.subpathsOfDirectory(atPath: home.path)
            .filter { !$0.hasPrefix("secrets.sqlite-") && !["reports", "identity", "bundles", "audit"].contains($0) }
        return Dictionary(
            uniqueKeysWithValues: try files.map {
                ($0, Array(try Data(contentsOf: URL(fileURLWithPath: home.path + "/" + $0))))
            })
    }

    @Test func severalStores() throws {
        try TestHome.run(stores: ["one.sqlite", "two.sqlite"]) { home in
            let names = TestHome.names(200)
            for store in home.home.stores { try home.fill(names, in: store) }
            let report = try rotate(home.home, isForced: true)
            #expect(report.tally.numbers == [400, 400, 0, 0, 0])
            for store in home.home.stores {
                #expect(try store.census().counts == [2: 200])
                try home.expectAll(names, in: store)
            }
        }
    }

    @Test func failuresAreReported() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(50))
            try home.flipWrappedKey("name 7")
            let report = try rotate(home.home, isForced: true)
            #expect(report.tally.numbers == [50, 49, 0, 0, 1])
            #expect(report.faults == [.init(name: "name 7", generation: 1, reason: .integrityCheckFailed)])
            #expect(
                report.notes.contains { $0.contains("1 secrets are quarantined") || $0.contains("quarantine list") })
            // Nothing more to do for the next run, which names it again.
            let next = try rotate(home.home)
            #expect(next.plan.isEmpty && next.faults.count == 1)
            let text = String(decoding: try next.json(), as: UTF8.self)
            #expect(text.contains("\"integrityCheckFailed\" : 0") && text.contains("\"name 7\""))
        }
    }
}
