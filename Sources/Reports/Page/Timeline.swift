import Files

/// The generations on a time line: one row each, one bar for each state that it went through. Pure.
struct Timeline {
    /// One bar: where it begins and ends between 0 and 1, and what it shows.
    struct Bar: Equatable {
        var state: String
        var from: Double
        var to: Double
    }

    private let generations: [Status.Line]
    private let first: Timestamp
    private let last: Timestamp

    /// - Parameters:
    ///   - generations: in the order of their numbers.
    ///   - now: the end of the line, unless a state began later by a clock that was wrong.
    init(_ generations: [Status.Line], now: Timestamp) {
        self.generations = generations
        let moments = generations.flatMap { $0.states.map(\.since) }
        first = moments.min() ?? now
        last = max(moments.max() ?? now, now)
    }

    /// The bars of a generation, each up to where the next one begins.
    func bars(_ line: Status.Line) -> [Bar] {
        let periods = line.states
        return periods.indices.map { index in
            let end = index + 1 < periods.count ? periods[index + 1].since : last
            let from = share(periods[index].since)
            // A clock that was set back must not turn a bar round.
            return Bar(state: Self.word(periods[index].state), from: from, to: max(from, share(end)))
        }
    }

    private func share(_ moment: Timestamp) -> Double {
        let span = last - first
        return span > 0 ? min(1, max(0, Double(moment - first) / Double(span))) : 0
    }

    /// A state's name as a class of the style sheet.
    private static func word(_ state: String) -> String { state.filter { $0 != "-" }.lowercased() }

    /// Generations beyond this many are in the table only: a drawing of a thousand rows tells nobody anything.
    private static let shownAtMost = 40

    /// The drawing: its words are the page's, so that they stay readable however narrow it is.
    var drawing: HTML {
        let rows = generations.suffix(Self.shownAtMost).flatMap { line in
            [.element("span", text: "gen \(line.number)"), strip(line)]
        }
        return .element(
            "div",
            [
                ("class", "timeline"), ("role", "img"),
                ("aria-label", "The states of generations over time; the table below says the same"),
            ],
            rows + [
                .element("span"),
                .element(
                    "span", [("class", "ends")],
                    [.element("span", text: "\(first)"), .element("span", text: "\(last)")]),
            ])
    }

    private func strip(_ line: Status.Line) -> HTML {
        .element(
            "svg", [("viewBox", "0 0 1000 14"), ("preserveAspectRatio", "none")],
            bars(line).map { bar in
                // What lasted a moment only is still to be seen.
                let width = max(4, (bar.to - bar.from) * 1000)
                return .element(
                    "rect",
                    [
                        ("class", bar.state), ("x", Drawing.coordinate(min(bar.from * 1000, 1000 - width))),
                        ("width", Drawing.coordinate(width)), ("height", "14"),
                    ])
            })
    }

    /// What each colour stands for.
    static let key = HTML(
        [
            ("preactivation", "pre-activation"), ("active", "active"), ("deactivated", "deactivated"),
            ("compromised", "compromised"), ("archived", "archived (in bundles only)"), ("destroyed", "destroyed"),
        ].map { (name: String, words: String) in
            .element(
                "span", [("class", "key")],
                [
                    .element(
                        "svg", [("viewBox", "0 0 10 10"), ("aria-hidden", "true")],
                        [.element("rect", [("class", name), ("width", "10"), ("height", "10")])]), HTML(words),
                ])
        })
}

/// What drawings share.
enum Drawing {
    /// A coordinate with one digit after the point.
    static func coordinate(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }
}
