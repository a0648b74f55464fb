import Reports

/// What a line of progress says, in as many words as there is room for. Pure.
struct ProgressView {
    var stage: String
    var handled: Int
    var total: Int
    var rate: Double
    var limiting: String?

    /// The same in fewer and fewer words.
    var forms: [String] {
        let speed = "\(Numbers.short(rate)) a second"
        var share: String?
        var left: String?
        if total > 0 { share = "\(min(100, handled * 100 / total)) %" }
        if total > handled, rate > 0 { left = Self.time(Double(total - handled) / rate) + " left" }
        let count = "\(handled)" + (total > 0 ? " of \(total) (\(share ?? ""))" : "")
        func joined(_ parts: [String?]) -> String { parts.compactMap { $0 }.joined(separator: ", ") }
        return [
            joined(["\(stage): \(count)", speed, left, limiting.map { "limited by \($0)" }]),
            joined(["\(stage): \(count)", speed, left]),
            joined(["\(stage): \(share ?? "\(handled)")", speed, left]),
            joined([share ?? "\(handled)", left ?? speed]),
            share ?? "\(handled)",
        ]
    }

    /// One line for a terminal: the longest form that fits, and a bar where there is room for one.
    func bar(columns: Int) -> String {
        let room = max(1, columns - 1)
        let forms = forms
        guard let text = forms.first(where: { $0.count <= room }) else {
            return String((forms.last ?? "").prefix(room))
        }
        let free = room - text.count - 3
        guard free >= 10, total > 0 else { return text }
        let width = min(40, free)
        let filled = min(width, handled * width / total)
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "] " + text
    }

    private static func time(_ seconds: Double) -> String {
        guard seconds < 1e9 else { return "for ever" }
        let whole = Int(seconds.rounded(.up))
        if whole < 60 { return "\(whole) s" }
        return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
