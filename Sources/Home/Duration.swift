/// Durations as people write them in a configuration: `90d`, `12h`, `30m`, `45s`, or `0`.
public enum PolicyDuration {
    private static let units: [(Character, Int64)] = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)]

    /// - Returns: seconds, or nil for anything else, a century and more included.
    public static func parse(_ text: String) -> Int64? {
        if text == "0" { return 0 }
        guard let last = text.last, let unit = units.first(where: { $0.0 == last }),
            let number = Int64(text.dropLast()), number >= 0, !text.hasPrefix("+")
        else { return nil }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit.1)
        return overflow || seconds > 36525 * 86400 ? nil : seconds
    }

    /// The shortest way to write it.
    public static func format(_ seconds: Int64) -> String {
        guard seconds != 0 else { return "0s" }
        let unit = units.first { seconds % $0.1 == 0 } ?? ("s", 1)
        return "\(seconds / unit.1)\(unit.0)"
    }
}
