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
        let bytes = Array(text.utf8)
        let pattern = Array("0000-00-00T00:00:00Z".utf8)
        let fits =
            bytes.count == pattern.count
            && zip(bytes, pattern).allSatisfy { $1 == 48 ? (48...57).contains($0) : $0 == $1 }
        guard fits else { return nil }
        func number(_ range: Range<Int>) -> Int32 { bytes[range].reduce(0) { $0 * 10 + Int32($1 - 48) } }
        var parts = tm()
        parts.tm_year = number(0..<4) - 1900
        parts.tm_mon = number(5..<7) - 1
        parts.tm_mday = number(8..<10)
        parts.tm_hour = number(11..<13)
        parts.tm_min = number(14..<16)
        parts.tm_sec = number(17..<19)
        self.init(rawValue: Int64(timegm(&parts)))
        // timegm takes a 30th of February for a day of March; a time that is none comes out differently.
        guard description == text else { return nil }
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
