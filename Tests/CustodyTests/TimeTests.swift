import Custody
import Files
import KeyManagement
import Testing

/// What is decided by clocks: restorations, rehearsals, copies.
@Suite struct TimeTests {
    private static let boot = Restoration.Boot(identity: "this boot", seconds: 1000)

    /// From day 0 for one day.
    private static var restoration: Restoration {
        Restoration(since: Rings.day(0), until: Rings.day(1), reason: "a test", boot: boot)
    }

    /// Seconds by the clock since the restoration, seconds by the kernel, whether the boot is the same, what is right.
    @Test(arguments: [
        (0, 0, true, false), (86399, 86399, true, false), (86400, 86400, true, true), (86400, 0, true, true),
        (86401, 86401, false, true),
        // A clock that is set back: the kernel's own count goes on.
        (-86400 * 365, 86399, true, false), (-86400 * 365, 86400, true, true), (0, 90000, true, true),
        // Another boot tells nothing by its count; a clock behind the last look then ends it.
        (100, 90000, false, false), (-1, 90000, false, true), (86400, 0, false, true),
    ]) func isOver(_ clock: Int64, _ kernel: Int64, _ sameBoot: Bool, _ expected: Bool) {
        let boot = Restoration.Boot(identity: sameBoot ? "this boot" : "another", seconds: 1000 + kernel)
        #expect(Self.restoration.isOver(now: Rings.day(0) + clock, boot: boot) == expected)
    }

    /// Each look counts the time that has passed since the one before, and nothing takes it back.
    @Test func whatWasUsedIsUsed() throws {
        var first = try Rings.generation(1, .active, .deactivated)
        first.restoration = Self.restoration
        var ring = try Rings.ring([first, Rings.generation(2, .active)])
        func look(_ clock: Int64, _ kernel: Int64, _ name: String = "this boot") {
            ring.note(clock: Rings.day(0) + clock, boot: .init(identity: name, seconds: 1000 + kernel))
        }
        func isOver(_ clock: Int64, _ kernel: Int64, _ name: String = "this boot") -> Bool? {
            ring.generation(1)?.restoration?.isOver(
                now: Rings.day(0) + clock, boot: .init(identity: name, seconds: 1000 + kernel))
        }
        #expect(ring.generation(1)?.restoration?.used == 0)
        look(40000, 40000)
        #expect(ring.generation(1)?.restoration?.used == 40000)
        // Set back by a year, and on: what the kernel counted is added.
        look(-365 * 86400, 60000)
        #expect(ring.generation(1)?.restoration?.used == 60000)
        #expect(isOver(-365 * 86400, 86399) == false && isOver(-365 * 86400, 86400) == true)
        // Another boot, the clock still wrong: what the clock counted since is added.
        look(-365 * 86400 + 20000, 5, "another")
        #expect(ring.generation(1)?.restoration?.used == 80000)
        #expect(isOver(-365 * 86400 + 26399, 6404, "another") == false)
        #expect(isOver(-365 * 86400 + 26400, 10, "another") == true)
        // The right clock again.
        #expect(isOver(86400, 10, "another") == true)
        #expect(ring.generation(2)?.restoration == nil)
    }

    /// A clock that ran ahead does not shorten the retention: the kernel's own count decides as well.
    @Test(arguments: [
        (0, 0, true, false), (99, 99, true, false), (100, 100, true, true), (100, 99, true, false),
        (1_000_000, 5, true, false), (100, 5, false, true), (99, 5000, false, false), (99, 5000, true, false),
    ]) func destructionIsDue(_ clock: Int64, _ kernel: Int64, _ sameBoot: Bool, _ expected: Bool) throws {
        var ring = try Rings.ring([Rings.generation(1), Rings.generation(2, .active)])
        try ring.requestDestruction(
            1, at: Rings.day(0), due: Rings.day(0) + 100, reason: "why", boot: Self.boot)
        let boot = Restoration.Boot(identity: sameBoot ? "this boot" : "another", seconds: 1000 + kernel)
        let destruction = try #require(ring.generation(1)?.destruction)
        #expect(destruction.isDue(now: Rings.day(0) + clock, boot: boot) == expected)
    }

    @Test func rehearsalsThatAreDue() throws {
        var ring = try Rings.ring(
            (1...4).map { try Rings.generation($0, .active, .deactivated) } + [Rings.generation(5, .active)])
        let policy = Rings.policy(rehearsal: 30 * 86400)
        func due(_ day: Int64) -> [UInt32] { Rehearsal.due(ring, policy, now: Rings.day(day)) }
        // Without a rehearsal the writing counts: a bundle is opened when it is written.
        #expect(due(29) == [] && due(30) == [1, 2, 3, 4, 5])
        try ring.noteRehearsal(of: 2, at: Rings.day(20))
        #expect(due(30) == [1, 3, 4, 5] && due(49) == [1, 3, 4, 5] && due(50) == [1, 2, 3, 4, 5])
        try ring.archive(3, at: Rings.day(5), reason: "empty")
        #expect(due(30).contains(3), "archived ones above all")
        try ring.move(3, to: .destroyed, at: Rings.day(6), reason: "over")
        #expect(!due(300).contains(3))
        #expect(due(-400) == [])
    }

    @Test func whatACopyNeeds() throws {
        let table: [(RegisteredCopy, needed: [UInt32])] = [
            (try Rings.copy([1: 5, 2: 0]), [1]), (try Rings.copy([:]), []), (try Rings.copy(nil), [1, 2, 3]),
            (try Rings.copy([1: 5], keepUntil: Rings.day(10)), []),
            (try Rings.copy([1: 5], keepUntil: Rings.day(11)), [1]),
            (try Rings.copy(nil, keepUntil: Rings.day(9)), []),
            // Sealed keys in it do not make it need them.
            (try Rings.copy([:], keys: [1, 2]), []),
        ]
        for (copy, needed) in table {
            #expect((1...3).filter { copy.needs($0, at: Rings.day(10)) } == needed, "\(copy)")
        }
    }
}
