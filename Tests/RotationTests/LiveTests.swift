import Files
import Glibc
import Home
import KeyManagement
import Keyroll
import Protection
import Rotation
import SecretStores
import Synchronization
import Testing

/// Applications go on reading and writing while a run is on.
@Suite(.timeLimit(.minutes(15))) struct LiveTests {
    /// Between the reading of a batch and its commit.
    @Test(arguments: TestHome.Kind.allCases) func changesInBetweenAreSuperseded(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            var names = TestHome.names(400)
            try home.fill(names)
            try home.roll()
            let group = KeyGroup(home.home)
            var hooks = WatchedStore.Hooks(pages: 2)
            hooks.onCommit = { number in
                guard number == 1 else { return }
                try group.put("name 5", TestHome.plaintext("name 5"), replacing: true)
                try group.remove("name 6")
                try group.rename("name 7", to: "renamed")
                try group.put("in the place of 6", TestHome.plaintext("in the place of 6"))
                // In a page that may not have been read yet, where it is moved or found to be current.
                try group.put("name 399", TestHome.plaintext("name 399"), replacing: true)
            }
            let outcome = try home.rewrap(WatchedStore(home.store, hooks), workers: 1)
            #expect(outcome.tally.addsUp)
            #expect((3...4).contains(outcome.tally.superseded))
            names.removeAll { $0 == "name 6" || $0 == "name 7" }
            let found = try home.plaintexts()
            #expect(found.count == names.count + 2)
            for name in names + ["in the place of 6"] { #expect(found[name] == TestHome.plaintext(name)) }
            #expect(found["renamed"] == TestHome.plaintext("name 7"))
            #expect(try home.store.census().counts == [2: 400])
            #expect(try home.store.recount().counts == [2: 400])
        }
    }

    /// Four applications, each with a home of its own, write, replace, rename, delete and read all through three
    /// rotations.
    @Test(arguments: TestHome.Kind.allCases) func applicationsAllThroughRotations(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try home.fill(TestHome.names(1000))
            let isOver = Mutex(false)
            let results = try inParallel(5) { number -> Set<String> in
                guard number < 4 else {
                    defer { isOver.withLock { $0 = true } }
                    for round in 0..<3 {
                        try home.roll()
                        var hooks = WatchedStore.Hooks(pages: 1)
                        hooks.afterCommit = { _ in usleep(500) }
                        let outcome = try home.rewrap(WatchedStore(home.store, hooks), job: "round \(round)")
                        #expect(outcome.tally.addsUp && outcome.tally.failed.total == 0)
                        #expect(try home.store.census().stale(except: UInt32(round + 2)) == 0)
                    }
                    return []
                }
                return try Self.work(KeyGroup(try home.again()), number) { isOver.withLock { $0 } }
            }
            let names = TestHome.names(1000) + results.flatMap { $0 }
            try home.expectAll(names)
            #expect(try home.store.census() == home.store.recount())
            #expect(try home.store.census().total == Int64(names.count))
            #expect(try home.store.quarantine().isEmpty)
        }
    }

    /// - Returns: the names that are there at the end.
    private static func work(_ group: KeyGroup, _ number: Int, isOver: () -> Bool) throws -> Set<String> {
        var mine: Set<String> = []
        var round = 0
        while !isOver() {
            round += 1
            let name = "\(number)/\(round % 50)"
            switch round % 4 {
            case 0 where mine.contains(name):
                try group.remove(name)
                mine.remove(name)
            default:
                try group.put(name, TestHome.plaintext(name), replacing: true)
                mine.insert(name)
            }
            // One that nobody changes, in a page that is being rewrapped now or will be.
            let known = "name \(round * 37 % 1000)"
            let isRight = try group.get(known) { $0.elementsEqual(TestHome.plaintext(known)) }
            #expect(isRight)
        }
        #expect(round > 10)
        return mine
    }
}
