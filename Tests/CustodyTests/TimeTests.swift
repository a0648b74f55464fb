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
        // Another boot tells nothing by its count.
        (100, 90000, false, false), (-86400, 90000, false, false),
    ]) func isOver(_ clock: Int64, _ kernel: Int64, _ sameBoot: Bool, _ expected: Bool) {
        let boot = Restoration.Boot(identity: sameBoot ? "this boot" : "another", seconds: 1000 + kernel)
        #expect(Self.restoration.isOver(now: Rings.day(0) + clock, boot: boot) == expected)
    }

    /// What the ring saw meanwhile holds, also after another boot with a clock that was set back.
    @Test func theLatestMomentSeenCounts() throws {
        let other = Restoration.Boot(identity: "another", seconds: 1)
        var restoration = Self.restoration
        restoration.seen = Rings.day(1)
        #expect(restoration.isOver(now: Rings.day(-300), boot: other))
        restoration.seen = Rings.day(1) + -1
        #expect(!restoration.isOver(now: Rings.day(-300), boot: other))
        #expect(restoration.isOver(now: Rings.day(1), boot: other))
    }

    @Test func everyChangeOfTheRingNotesTheClock() throws {
        var first = try Rings.generation(1, .active, .deactivated)
        first.restoration = Self.restoration
        var ring = try Rings.ring([first, Rings.generation(2, .active)])
        func seen() -> Timestamp? { ring.generation(1)?.restoration?.seen }
        #expect(seen() == Rings.day(0))
        ring.note(clock: Rings.day(0) + 5000)
        #expect(seen() == Rings.day(0) + 5000)
        ring.note(clock: Rings.day(-30))
        #expect(seen() == Rings.day(0) + 5000, "time does not run backwards")
        #expect(ring.generation(2)?.restoration == nil)
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
