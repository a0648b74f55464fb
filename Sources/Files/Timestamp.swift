import Glibc

/// A moment: whole seconds since 1970-01-01 00:00 UTC.
///
/// For people and for policy only. What came before what is told by sequence numbers, never by a clock.
public struct Timestamp: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Seconds since 1970-01-01 00:00 UTC.
    public var rawValue: Int64

    /// - Parameter rawValue: seconds since 1970-01-01 00:00 UTC.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Now, by this machine's clock.
    public static var now: Timestamp { Timestamp(rawValue: Int64(time(nil))) }

    /// Reads RFC 3339 in UTC with whole seconds, as ``description`` writes it.
    public init?(_ text: String) {
        var parts = tm()
        let isWhole = text.withCString { start in
            strptime(start, "%Y-%m-%dT%H:%M:%SZ", &parts).map { $0.pointee == 0 } ?? false
        }
        guard isWhole else { return nil }
        self.init(rawValue: Int64(timegm(&parts)))
    }

    /// RFC 3339, as in `2026-11-24T06:35:00Z`.
    public var description: String {
        var seconds = time_t(rawValue)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 40)
        let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Earlier before later.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    /// A moment some seconds later.
    public static func + (moment: Self, seconds: Int64) -> Self { Timestamp(rawValue: moment.rawValue + seconds) }
    /// The seconds between two moments.
    public static func - (later: Self, earlier: Self) -> Int64 { later.rawValue - earlier.rawValue }
}
