import Files
import Home
import Jobs
import KeyManagement
import Keyroll
import Rotation
import SecretStores
import Testing

/// Runs that meet others, and runs that find what others left behind.
@Suite(.timeLimit(.minutes(15))) struct RotateJobRecoveryTests {
    @Test func twoAtOnce() throws {
        try TestHome.run { home in
            let lock = try home.home.lock(for: "somebody else")
            do {
                _ = try rotate(home.again(), isForced: true)
                Issue.record("was not refused")
            } catch let error as OwnerLock.Busy {
                #expect(error.owner.contains("somebody else"))
            }
            #expect(try home.keeper.reload().ring.generations.count == 1)
            withExtendedLifetime(lock) {}
        }
        // The lock goes with its holder.
        try TestHome.run { home in
            try { _ = try home.home.lock(for: "somebody else") }()
            #expect(try rotate(home.home, isForced: true).generation == 2)
        }
    }

    /// What another process did before this one had the lock counts.
    @Test func anotherProcessHasRotated() throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(10))
            let other = try home.again()
            _ = try rotate(home.home, isForced: true)
            let report = try rotate(other)
            #expect(report.plan.isEmpty && report.generation == 2)
        }
    }

    /// Cut off between activation and fence: the next run raises it.
    @Test func cutOffBeforeTheFence() throws {
        try TestHome.run { home in
            let names = TestHome.names(50)
            try home.fill(names)
            let number = try home.home.publish(reason: "a test")
            try home.keeper.update { try $0.activate(number, at: .now, reason: "a test") }
            #expect(try home.store.marks().fence == 1)
            let report = try rotate(home.again())
            #expect(report.tally.moved == 50 && report.generation == 2)
            #expect(try home.store.marks().fence == 2)
            try home.expectAll(names)
        }
    }

    /// Cut off between publication and activation: the published one is taken up, no third one is made.
    @Test func cutOffBeforeTheActivation() throws {
        try TestHome.run { home in
            try home.fill(["a"])
            _ = try home.home.publish(reason: "a test")
            let report = try rotate(home.again(), isForced: true)
            #expect(report.generation == 2)
            #expect(try home.keeper.reload().ring.generations.count == 2)
        }
    }

    /// One that was published long ago and passed over: after a compromise of the active one, the rotation makes a
    /// generation that the stores take.
    @Test func anOlderPublishedOne() throws {
        try TestHome.run { home in
            let names = TestHome.names(20)
            try home.fill(names)
            _ = try home.home.publish(reason: "passed over")
            let third = try home.home.publish(reason: "the newer one")
            try home.keeper.update { try $0.activate(third, at: .now, reason: "a test") }
            _ = try rotate(home.home)
            try home.keeper.update { try $0.move(third, to: .compromised, at: .now, reason: "leaked") }
            let report = try rotate(home.home)
            #expect(report.generation == 4 && report.tally.moved == 20)
            try home.expectAll(names)
            try KeyGroup(home.home).put("new", [1])
        }
    }
}
