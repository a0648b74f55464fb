import Foundation
import Testing

extension BrokerTests {
    /// The machine's clock set back does not prolong a grant.
    @Suite struct ClockTests {
        private func clock(_ offset: Int) throws -> [String: String] {
            ["LD_PRELOAD": try OtherClock.library.get(), "CLOCK_OFFSET": "\(offset)"]
        }

        private func makeHome() throws -> BrokerHome {
            let home = try BrokerHome(.simple)
            try home(.service, "put", "mail/alice", input: Data("plain".utf8))
            return home
        }

        /// Set back an hour, and started again after that, more than once.
        @Test(arguments: [false, true]) func setBackAnHour(isKilled: Bool) throws {
            let home = try makeHome()
            let id = try home.grant("mail/*", for: "10s")
            let start = Date()
            #expect(try home.engineerReads("mail/alice") == 0)
            var reads = 0
            for _ in 0..<4 {
                if isKilled { try home.kill() } else { _ = try home.stop() }
                try home.start(variables: clock(-3600))
                let age = Date().timeIntervalSince(start)
                if try home.engineerReads("mail/alice") == 0 {
                    reads += 1
                    // What a restart itself takes is not used.
                    #expect(age < 16, "read \(age) seconds after a grant of 10")
                }
                usleep(3_500_000)
            }
            #expect(reads > 0, "it ended at once")
            #expect(try home.engineerReads("mail/alice") == 77)
            #expect(try home.standing(id) == "over")
        }

        /// Nor does it bring one back that is over.
        @Test func aGrantThatIsOverStaysSo() throws {
            let home = try makeHome()
            let id = try home.grant("mail/*", for: "1s")
            sleep(3)
            #expect(try home.standing(id) == "over")
            for _ in 0..<2 {
                try home.restart(variables: clock(-3600))
                #expect(try home.engineerReads("mail/alice") == 77)
                #expect(try home.standing(id) == "over")
            }
        }

        /// Set forward, it ends it.
        @Test func setForward() throws {
            let home = try makeHome()
            let id = try home.grant("mail/*", for: "1h")
            try home.restart(variables: clock(3601))
            #expect(try home.engineerReads("mail/alice") == 77)
            #expect(try home.standing(id) == "over")
            // And back again: what was seen counts.
            try home.restart()
            #expect(try home.engineerReads("mail/alice") == 77)
        }
    }
}
