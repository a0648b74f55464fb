/// Numbers as people read them.
public enum Numbers {
    /// 950, 12.30k, 4.56M.
    public static func short(_ value: Double) -> String {
        if value >= 1e6 { return hundredths(value / 1e6) + "M" }
        if value >= 1e4 { return hundredths(value / 1e3) + "k" }
        return "\(Int(value.rounded()))"
    }

    /// 0.38 s, 12.00 s.
    public static func seconds(_ value: Double) -> String { hundredths(value) + " s" }

    /// 0.38, 12.00.
    public static func hundredths(_ value: Double) -> String {
        let whole = Int((value * 100).rounded())
        return "\(whole / 100).\(whole % 100 < 10 ? "0" : "")\(whole % 100)"
    }
}
