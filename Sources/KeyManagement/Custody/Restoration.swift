public import Files
import Glibc

/// An archived generation that is on line again, for a stated time and reason. It only unprotects.
public struct Restoration: Sendable, Equatable {
    /// When it was restored.
    public var since: Timestamp
    /// When it goes off line by itself.
    public var until: Timestamp
    /// Why.
    public var reason: String
    /// The latest moment that the ring saw meanwhile: time does not run backwards from there.
    public var seen: Timestamp
    /// The kernel's boot and the seconds since then: a clock that is set back does not prolong anything.
    public var boot: Boot

    /// A place in a kernel's life that no one can set back.
    public struct Boot: Sendable, Equatable {
        /// The boot's random identity.
        public var identity: String
        /// Seconds since the boot, sleep included.
        public var seconds: Int64

        /// - Parameters:
        ///   - identity: the boot's random identity.
        ///   - seconds: since the boot.
        public init(identity: String, seconds: Int64) {
            self.identity = identity
            self.seconds = seconds
        }

        /// This kernel's, now.
        public static func now() -> Boot {
            var moment = timespec()
            clock_gettime(CLOCK_BOOTTIME, &moment)
            var text = [UInt8](repeating: 0, count: 64)
            let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
            let count = descriptor < 0 ? 0 : max(0, read(descriptor, &text, text.count))
            if descriptor >= 0 { close(descriptor) }
            return Boot(
                identity: String(decoding: text[..<count].prefix { $0 > 32 }, as: UTF8.self),
                seconds: Int64(moment.tv_sec))
        }
    }

    /// - Parameters:
    ///   - since: now.
    ///   - until: when it ends.
    ///   - reason: why.
    ///   - boot: this kernel's.
    public init(since: Timestamp, until: Timestamp, reason: String, boot: Boot) {
        self.since = since
        self.until = until
        self.reason = reason
        self.boot = boot
        seen = since
    }

    /// Whether it is over.
    ///
    /// - Parameters:
    ///   - now: the machine's clock, which may have been set back.
    ///   - boot: this kernel's.
    public func isOver(now: Timestamp = .now, boot: Boot = .now()) -> Bool {
        if max(now, seen) >= until { return true }
        // In the same boot the kernel's own count decides as well.
        return boot.identity == self.boot.identity && boot.seconds - self.boot.seconds >= until - since
    }
}
