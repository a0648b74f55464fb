import Glibc

/// A place in a kernel's life that no one can set back.
public struct BootTime: Sendable, Equatable {
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
    public static func now() -> BootTime {
        var moment = timespec()
        clock_gettime(CLOCK_BOOTTIME, &moment)
        return BootTime(identity: kernel, seconds: Int64(moment.tv_sec))
    }

    /// A running process never sees another boot.
    private static let kernel: String = {
        var text = [UInt8](repeating: 0, count: 64)
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        let count = descriptor < 0 ? 0 : max(0, read(descriptor, &text, text.count))
        if descriptor >= 0 { close(descriptor) }
        return String(decoding: text[..<count].prefix { $0 > 32 }, as: UTF8.self)
    }()
}
