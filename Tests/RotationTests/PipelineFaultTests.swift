import Files
import Foundation
import Home
import KeyManagement
import Rotation
import SecretStores
import Testing

/// A stage that fails ends the run with its error: no other stage waits for ever, and nothing is lost.
@Suite(.timeLimit(.minutes(15))) struct PipelineFaultTests {
    private struct Broken: Error, Equatable { var place: Int }

    private static let names = TestHome.names(2000)

    /// Fails unless `hooks` make the run throw ``Broken``, after which another run does the job.
    private func expectFault(_ hooks: WatchedStore.Hooks, workers: Int, place: Int) throws {
        try TestHome.run { home in
            try home.fill(Self.names)
            try home.roll()
            var hooks = hooks
            hooks.pages = 1
            let watched = WatchedStore(home.store, hooks)
            #expect(throws: Broken(place: place)) {
                try withDeadline { try home.rewrap(watched, workers: workers) }
            }
            // Whole batches or nothing of them.
            let census = try home.store.census()
            #expect(try home.store.recount() == census)
            #expect(census.total == 2000 && census[2] == min(2000, Int64(watched.commitCount) * 91))
            try home.expectAll(Self.names)
            let outcome = try home.rewrap(workers: workers, job: "again")
            #expect(outcome.tally.addsUp && outcome.wasResumed == (watched.commitCount > 0))
            #expect(try home.store.census().counts == [2: 2000])
            try home.expectAll(Self.names)
        }
    }

    @Test(arguments: [1, 2, 7, 22], [1, 3])
    func aCommitFails(number: Int, workers: Int) throws {
        var hooks = WatchedStore.Hooks()
        hooks.onCommit = { if $0 == number { throw Broken(place: number) } }
        try expectFault(hooks, workers: workers, place: number)
    }

    @Test(arguments: [1, 2, 7, 22], [1, 3])
    func aReadFails(number: Int, workers: Int) throws {
        var hooks = WatchedStore.Hooks()
        hooks.onRead = { if $0 == number { throw Broken(place: number) } }
        try expectFault(hooks, workers: workers, place: number)
    }

    @Test(arguments: [1, 3])
    func theReaderCannotBeMade(workers: Int) throws {
        var hooks = WatchedStore.Hooks()
        hooks.onMakingReader = { throw Broken(place: 0) }
        try expectFault(hooks, workers: workers, place: 0)
    }

    @Test(arguments: [1, 3])
    func theCommitterCannotBeMade(workers: Int) throws {
        var hooks = WatchedStore.Hooks()
        hooks.onMakingCommitter = { throw Broken(place: 0) }
        try expectFault(hooks, workers: workers, place: 0)
    }

    /// A key that cannot be reached is not the secret's fault: the worker fails, and nothing is quarantined.
    @Test(arguments: [1, 3])
    func aWorkerFails(workers: Int) throws {
        try TestHome.run { home in
            try home.fill(Self.names)
            try home.roll()
            try home.setGeneration(77, of: "name 1000")
            let files = [home.home.layout.keys, home.home.layout.keysCopy]
            for file in files { try FileManager.default.moveItem(atPath: file, toPath: file + ".away") }
            #expect(throws: FileError.self) {
                try withDeadline { try home.rewrap(WatchedStore(home.store, .init(pages: 1)), workers: workers) }
            }
            #expect(try home.store.quarantine().isEmpty)
            for file in files { try FileManager.default.moveItem(atPath: file + ".away", toPath: file) }
            try home.setGeneration(1, of: "name 1000")
            #expect(try home.rewrap(workers: workers).tally.addsUp)
            #expect(try home.store.census().counts == [2: 2000])
            try home.expectAll(Self.names)
        }
    }

    /// Another rotation comes in between: this one ends, and what it moved can be opened.
    @Test func theFenceRisesMeanwhile() throws {
        try TestHome.run { home in
            try home.fill(Self.names)
            try home.roll()
            let other = try home.again()
            var hooks = WatchedStore.Hooks(pages: 1)
            hooks.onCommit = { number in
                guard number == 5 else { return }
                let third = try other.publish(reason: "another process")
                try other.keeper.update { try $0.activate(third, at: .now, reason: "another process") }
                let generation = try other.keeper.keyring.active().generation
                try other.store.raiseFence(
                    to: GenerationMark(
                        number: third, identity: generation.identity, checkValue: generation.checkValue))
            }
            let watched = WatchedStore(home.store, hooks)
            #expect(storeCode { _ = try withDeadline { try home.rewrap(watched) } } == .fenced(fence: 3))
            #expect(try home.store.census().counts == [1: 2000 - 4 * 91, 2: 4 * 91])
            try home.expectAll(Self.names)
            try home.keeper.reload()
            let outcome = try home.rewrap(job: "after")
            #expect(outcome.tally.numbers == [2000, 2000, 0, 0, 0] && !outcome.wasResumed)
            try home.expectAll(Self.names)
        }
    }

    /// Somebody asks for an end before anything was done.
    @Test func stoppedBeforeTheStart() throws {
        try TestHome.run { home in
            try home.fill(Self.names)
            try home.roll()
            let control = RunControl()
            control.stop()
            let outcome = try withDeadline { try home.rewrap(control: control) }
            #expect(outcome.wasInterrupted && outcome.handled == 0)
            #expect(try home.store.census().counts == [1: 2000])
        }
    }
}
