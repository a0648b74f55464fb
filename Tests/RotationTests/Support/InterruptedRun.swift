import Rotation
import SecretStores
import Testing

/// A rewrap that was stopped on its way, and what the next run has to do.
enum InterruptedRun {
    static let count = 450

    /// A home in which a rewrap was stopped after two of five pages.
    static func make(_ body: (TestHome, JournalRecord) throws -> Void) throws {
        try TestHome.run { home in
            try home.fill(TestHome.names(count))
            try home.roll()
            let outcome = try home.interruptedRewrap(after: 2)
            #expect(outcome.wasInterrupted && outcome.tally.addsUp)
            let done = outcome.tally.moved
            #expect(done == 182)
            #expect(try home.store.census().counts == [1: Int64(count - done), 2: Int64(done)])
            try body(home, try #require(try home.store.openJournal()))
        }
    }

    /// Fails unless the run that comes now begins anew and moves everything.
    static func expectNewRun(_ home: TestHome, isIgnored: Bool) throws {
        let moved = Int(try home.store.census()[2])
        let outcome = try home.rewrap(job: "anew")
        #expect(!outcome.wasResumed && outcome.ignoredJournal == isIgnored && outcome.job == "anew")
        #expect(outcome.tally.numbers == [count, count - moved, moved, 0, 0])
        #expect(outcome.handled == count)
        try expectDone(home)
    }

    static func expectDone(_ home: TestHome) throws {
        #expect(try home.store.census().counts == [2: Int64(count)])
        #expect(try home.store.openJournal() == nil)
        try home.expectAll(TestHome.names(count))
    }
}
