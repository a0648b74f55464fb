public import Files
import Synchronization

/// A clock that does not run backwards: no grant is prolonged by setting the machine's clock back, nor by doing so
/// while nobody looks.
///
/// It takes whichever is later: the machine's clock, or what was seen last with the kernel's own count of seconds since
/// then (CLOCK_BOOTTIME, which nobody can set). After another boot it goes on from what was seen last.
public final class SteadyClock: Sendable {
    private let mark: Mutex<Mark>
    private let source: @Sendable () -> Reading

    /// What the machine says.
    public struct Reading: Sendable, Equatable {
        /// Its clock.
        public var wall: Timestamp
        /// The boot's random identity.
        public var boot: String
        /// Seconds since that boot.
        public var seconds: Int64

        /// - Parameters:
        ///   - wall: the clock.
        ///   - boot: the boot's identity.
        ///   - seconds: since that boot.
        public init(wall: Timestamp, boot: String, seconds: Int64) {
            self.wall = wall
            self.boot = boot
            self.seconds = seconds
        }
    }

    private struct Mark {
        var now: Timestamp
        var boot: String
        var seconds: Int64
    }

    /// - Parameters:
    ///   - seen: the latest moment that anything kept says; nil where there is none.
    ///   - source: reads the machine's clocks.
    public init(notBefore seen: Timestamp?, source: @escaping @Sendable () -> Reading) {
        self.source = source
        let reading = source()
        mark = Mutex(
            Mark(now: max(reading.wall, seen ?? reading.wall), boot: reading.boot, seconds: reading.seconds))
    }

    /// Now; never earlier than it said before.
    public var now: Timestamp {
        let reading = source()
        return mark.withLock { mark in
            let counted = reading.boot == mark.boot ? max(0, reading.seconds - mark.seconds) : 0
            mark = Mark(
                now: max(reading.wall, mark.now + counted), boot: reading.boot,
                seconds: max(reading.seconds, reading.boot == mark.boot ? mark.seconds : 0))
            return mark.now
        }
    }
}
