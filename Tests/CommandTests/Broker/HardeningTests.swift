import BrokerWire
import Foundation
import Glibc
import Testing

extension BrokerTests {
    /// What a review found: ways round the log, two brokers at once, a root key that changes under a broker.
    @Suite struct HardeningTests {
        private func makeHome() throws -> BrokerHome {
            var policy = TestPolicy.simple
            policy.requesters = ["root", TestUser.engineer.rawValue]
            let home = try BrokerHome(policy)
            try home.direct("put", "mail/alice", input: Data("plain mail/alice".utf8))
            return home
        }

        @Test func oneBrokerServesAHome() throws {
            let home = try makeHome()
            let second = try BrokerHome.start(
                .broker, ["broker", "--home", home.path, "--socket", home.folder + "/run/second.sock"]
            ).wait(atMost: 60)
            #expect(second.code == 75)
            second.expectRefusal("keyroll broker at")
            try home(.service, "get", "mail/alice")
        }

        /// Whoever has the home does without the broker, not without the log.
        @Test func exportsAreLogged() throws {
            let home = try makeHome()
            let count = try home.entries().count
            try home.direct("export", "mail/alice", "--format", "jsonl")
            try home.expectLogged("unprotect", "begun", secret: "mail/alice")
            try home.direct("export", "--format", "cose")
            let added = try home.entries().dropFirst(count)
            #expect(added.contains { $0.line.contains("\"export\":\"cose\"") && $0.line.contains("all secrets") })
        }

        @Test func aNewRootKeyKeepsGrantsAndEndsTheBroker() throws {
            let home = try makeHome()
            let granted = try home.grant("mail/*")
            let waiting = try home.ask("mail/*")
            let broker = try home.broker
            try home.direct("root", "change", "--key-file", "second.key")
            // It has the keys of before, and must not go on with them.
            let outcome = broker.wait(atMost: 30)
            #expect(outcome.code != 0, "\(outcome.errors)")
            try home.start()
            #expect(try home.standing(granted) == "granted")
            #expect(try home.standing(waiting).hasPrefix("waiting"))
            #expect(try home.engineerReads("mail/alice") == 0)
        }

        /// The log that a broker writes to is taken away: it does not go on writing to what nobody sees.
        @Test func aLogThatIsTakenAwayEndsTheBroker() throws {
            let home = try makeHome()
            let broker = try home.broker
            try FileManager.default.moveItem(atPath: home.path + "/audit", toPath: home.folder + "/taken")
            let outcome = broker.wait(atMost: 30)
            #expect(outcome.code == 65, "\(outcome.errors)")
        }

        /// A user whom the policy names asks for what he does not get: so much of it is written down each, and all counted.
        @Test func refusalsDoNotFillTheLog() throws {
            let home = try makeHome()
            let client = try RawClient(home.socket)
            for _ in 0..<300 {
                #expect(try client.failure(.unprotect(name: "mail/alice", context: nil, store: nil))?.exit == 77)
            }
            let before = try home.entries().filter { $0.kind == "refusal" }.count
            #expect(before <= 60, "\(before) entries for 300 refusals")
            usleep(1_200_000)
            _ = try client.failure(.unprotect(name: "mail/alice", context: nil, store: nil))
            #expect(try home.entries().contains { $0.kind == "refusal" && $0.line.contains("\"moreBefore\":") })
        }

        /// A client that ends its sending side and takes nothing of a large answer costs no processor time meanwhile.
        @Test func aHalfClosedClientCostsNothing() throws {
            let home = try BrokerHome(.servingRoot)
            try home.direct("put", "large", input: Data(count: 24 << 20))
            let client = try RawClient(home.socket)
            try client.send(.unprotect(name: "large", context: nil, store: nil))
            shutdown(client.descriptor, Int32(SHUT_WR))
            sleep(1)
            // Hundredths of a second of the broker's processor time.
            func ticks() throws -> Int {
                let line = try String(contentsOfFile: "/proc/\(home.broker.pid)/stat", encoding: .utf8)
                let fields = line.split(separator: " ")
                return try #require(Int(fields[13])) + #require(Int(fields[14]))
            }
            let before = try ticks()
            sleep(3)
            #expect(try ticks() - before < 100)
            #expect(client.descriptor >= 0)
        }

        /// A home that is named is meant, whatever broker the environment names.
        @Test func aNamedHomeWins() throws {
            let home = try makeHome()
            try home(.service, "get", "mail/alice", "--home", "/nonexistent/home", exits: 78)
            try home(.service, "get", "mail/alice", "--home", "/x", "--broker", home.socket, exits: 64)
        }
    }
}
