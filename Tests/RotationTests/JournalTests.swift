import Cryptography
import Envelopes
import Files
import Home
import KeyManagement
import Protection
import Rotation
import SecretStores
import Testing

/// The records are the truth; the journal saves time, and nobody can make it skip a secret.
@Suite(.timeLimit(.minutes(15))) struct JournalTests {
    @Test func aStoppedRunGoesOn() throws {
        try InterruptedRun.make { home, record in
            let before = try #require(
                try RewrapJournal(record, home.keeper.keyring.journalAuthenticator()))
            #expect(before.job == "interrupted" && before.resumed == 0)
            #expect(before.cursor == Int64(before.tally.moved / 91))
            let outcome = try home.rewrap(job: "another")
            #expect(outcome.wasResumed && !outcome.ignoredJournal && outcome.job == "interrupted")
            #expect(outcome.tally.numbers == [InterruptedRun.count, InterruptedRun.count, 0, 0, 0])
            // What was done before is not done again.
            #expect(outcome.handled == InterruptedRun.count - before.tally.scanned)
            try InterruptedRun.expectDone(home)
            let after = try #require(
                try home.store.newestJournal().flatMap {
                    try RewrapJournal($0, home.keeper.keyring.journalAuthenticator())
                })
            #expect(after.resumed == 1 && after.started == before.started && after.job == "interrupted")
        }
    }

    /// Stopped again and again, after every page.
    @Test func stoppedManyTimes() throws {
        try InterruptedRun.make { home, _ in
            for attempt in 1...3 {
                let outcome = try home.interruptedRewrap(after: 1, job: "never used")
                #expect(outcome.wasInterrupted && outcome.wasResumed && outcome.job == "interrupted")
                #expect(outcome.tally.moved == min(InterruptedRun.count, 182 + attempt * 91))
            }
            // All is moved, and the run is not finished yet.
            #expect(try home.store.openJournal() != nil)
            let outcome = try home.rewrap()
            #expect(outcome.wasResumed && outcome.handled == 0)
            #expect(outcome.tally.numbers == [InterruptedRun.count, InterruptedRun.count, 0, 0, 0])
            try InterruptedRun.expectDone(home)
        }
    }

    /// A failed batch is in the journal with all the others.
    @Test(arguments: TestHome.Kind.allCases) func failuresAreCountedOnce(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(InterruptedRun.count))
            try home.roll()
            for name in ["name 3", "name 100", "name 440"] { try home.flipWrappedKey(name) }
            #expect(try home.interruptedRewrap(after: 2).wasInterrupted)
            let outcome = try home.rewrap()
            #expect(outcome.wasResumed)
            #expect(outcome.tally.numbers == [InterruptedRun.count, InterruptedRun.count - 3, 0, 0, 3])
        }
    }

    /// An unfinished run's journal said to be finished is not gone on with; a finished one's said to be unfinished is
    /// not believed.
    @Test func theFlagIsCovered() throws {
        try InterruptedRun.make { home, record in
            var finished = record
            finished.isFinished = true
            try home.store.write(finished)
            try InterruptedRun.expectNewRun(home, isIgnored: false)
            var unfinished = try #require(try home.store.newestJournal())
            unfinished.isFinished = false
            try home.store.write(unfinished)
            #expect(try home.rewrap(job: "later").ignoredJournal)
        }
    }

    /// Another target is no fault: a newer generation came before the run was finished.
    @Test func aJournalOfAnotherTarget() throws {
        try InterruptedRun.make { home, _ in
            try home.roll()
            let outcome = try home.rewrap(job: "anew")
            #expect(!outcome.wasResumed && !outcome.ignoredJournal && outcome.job == "anew")
            #expect(outcome.tally.numbers == [InterruptedRun.count, InterruptedRun.count, 0, 0, 0])
            #expect(try home.store.census().counts == [3: Int64(InterruptedRun.count)])
            #expect(try home.store.openJournal() == nil)
        }
    }

    /// Another ring's journal has another ring's MAC.
    @Test func aJournalOfAnotherRing() throws {
        try InterruptedRun.make { home, record in
            try InterruptedRun.make { other, foreign in
                try home.store.write(
                    JournalRecord(job: record.job, content: foreign.content, mac: foreign.mac, isFinished: false))
                try InterruptedRun.expectNewRun(home, isIgnored: true)
                #expect(try other.rewrap().wasResumed)
            }
        }
    }

    /// An authentic journal, carried from one store of a ring to another one: its cursor saves no secret there.
    @Test func aJournalOfAnotherStore() throws {
        try TestHome.run(stores: ["first.sqlite", "second.sqlite"]) { home in
            let (first, second) = (home.home.stores[0], home.home.stores[1])
            let names = TestHome.names(InterruptedRun.count)
            for store in [first, second] { try home.fill(names, in: store) }
            try home.roll()
            #expect(try home.interruptedRewrap(after: 4, of: first).wasInterrupted)
            try second.write(try #require(try first.openJournal()))
            let outcome = try home.rewrap(second, job: "second")
            #expect(outcome.tally.addsUp)
            #expect(try second.census().counts == [2: Int64(InterruptedRun.count)])
            try home.expectAll(names, in: second)
        }
    }
}
