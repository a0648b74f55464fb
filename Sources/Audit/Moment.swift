import Files
import Glibc

/// An entry's time: `2026-11-24T16:45:54.123Z`, UTC (RFC 3339), always 24 bytes.
///
/// The text of a second is kept and used for all of its entries.
struct Moment {
    /// How many bytes the text has.
    static let length = 24
    private var kept: Int64 = .min
    private var text = [UInt8](repeating: 0, count: Moment.length)

    /// The clock now, and seconds since 1970.
    static func now() -> timespec {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        return moment
    }

    /// Writes a time.
    mutating func write(_ moment: timespec, to output: UnsafeMutablePointer<UInt8>) {
        if Int64(moment.tv_sec) != kept {
            kept = Int64(moment.tv_sec)
            // "2026-11-24T16:45:54Z"; a clock beyond the year 9999 is cut to what fits.
            let seconds = Array(Timestamp(rawValue: min(max(kept, -62_135_596_800), 253_402_300_799)).description.utf8)
            for (index, byte) in seconds.dropLast().prefix(19).enumerated() { text[index] = byte }
            text[19] = UInt8(ascii: ".")
            text[23] = UInt8(ascii: "Z")
        }
        let milliseconds = Int(moment.tv_nsec / 1_000_000)
        text[20] = 48 + UInt8(milliseconds / 100 % 10)
        text[21] = 48 + UInt8(milliseconds / 10 % 10)
        text[22] = 48 + UInt8(milliseconds % 10)
        text.withUnsafeBufferPointer { output.update(from: $0.baseAddress!, count: Self.length) }
    }

    /// Reads the whole seconds of a text; nil where it is not one.
    static func seconds(_ text: UnsafeRawBufferPointer) -> Timestamp? {
        guard text.count == length, text[19] == UInt8(ascii: "."), text[23] == UInt8(ascii: "Z"),
            text[20..<23].allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Timestamp(String(decoding: text[..<19], as: UTF8.self) + "Z")
    }

    /// Whether it has the form of a time; cheaper than reading it.
    static func hasForm(_ text: UnsafePointer<UInt8>) -> Bool {
        for index in 0..<length {
            let byte = text[index]
            let fits =
                switch index {
                case 4, 7: byte == UInt8(ascii: "-")
                case 10: byte == UInt8(ascii: "T")
                case 13, 16: byte == UInt8(ascii: ":")
                case 19: byte == UInt8(ascii: ".")
                case 23: byte == UInt8(ascii: "Z")
                default: byte &- 48 < 10
                }
            guard fits else { return false }
        }
        return true
    }
}
