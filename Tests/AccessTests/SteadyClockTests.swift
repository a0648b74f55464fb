import Access
import Files
import Synchronization
import Testing

@Suite struct SteadyClockTests {
    /// A machine whose clocks a test sets.
    private final class Machine: Sendable {
        let reading = Mutex(
            SteadyClock.Reading(wall: Timestamp(rawValue: 1_000_000), boot: "one", seconds: 500))

        func clock(notBefore seen: Int64? = nil) -> SteadyClock {
            SteadyClock(notBefore: seen.map { Timestamp(rawValue: $0) }) { [self] in reading.withLock { $0 } }
        }

        func set(wall: Int64? = nil, boot: String? = nil, seconds: Int64? = nil) {
            reading.withLock {
                if let wall { $0.wall = Timestamp(rawValue: wall) }
                if let boot { $0.boot = boot }
                if let seconds { $0.seconds = seconds }
            }
        }
    }

    @Test func itFollowsTheMachine() {
        let machine = Machine()
        let clock = machine.clock()
        #expect(clock.now.rawValue == 1_000_000)
        machine.set(wall: 1_000_010, seconds: 510)
        #expect(clock.now.rawValue == 1_000_010)
        // Set forward.
        machine.set(wall: 2_000_000, seconds: 511)
        #expect(clock.now.rawValue == 2_000_000)
    }

    @Test func setBackItGoesOnBySeconds() {
        let machine = Machine()
        let clock = machine.clock()
        machine.set(wall: 1_000_000 - 3600, seconds: 530)
        #expect(clock.now.rawValue == 1_000_030)
        machine.set(seconds: 590)
        #expect(clock.now.rawValue == 1_000_090)
        #expect(clock.now.rawValue == 1_000_090)
        // Until the machine's has caught up.
        machine.set(wall: 1_000_200, seconds: 600)
        #expect(clock.now.rawValue == 1_000_200)
    }

    @Test func aRestartGoesOnFromWhatWasSeen() {
        let machine = Machine()
        machine.set(wall: 1_000_000 - 3600)
        let clock = machine.clock(notBefore: 1_000_050)
        #expect(clock.now.rawValue == 1_000_050)
        machine.set(seconds: 507)
        #expect(clock.now.rawValue == 1_000_057)
        // What was seen long ago does not hold it back.
        #expect(machine.clock(notBefore: 5).now.rawValue == 1_000_000 - 3600)
    }

    @Test func anotherBootBeginsToCountAnew() {
        let machine = Machine()
        let clock = machine.clock()
        machine.set(wall: 900_000, boot: "two", seconds: 3)
        #expect(clock.now.rawValue == 1_000_000)
        machine.set(seconds: 10)
        #expect(clock.now.rawValue == 1_000_007)
    }

    @Test func itNeverGoesBack() {
        let machine = Machine()
        let clock = machine.clock(notBefore: 1_000_000)
        var last = clock.now
        var seconds: Int64 = 500
        for _ in 0..<10_000 {
            seconds += Int64.random(in: -2...5)
            machine.set(
                wall: 1_000_000 + .random(in: -5000...5000), boot: ["one", "two"].randomElement(), seconds: seconds)
            let now = clock.now
            #expect(now >= last)
            last = now
        }
    }
}
