public import Files
public import Home
import Jobs
import SecretStores

/// One page about a home, complete in itself: no script, nothing from elsewhere.
public struct StatusPage: Sendable {
    private let status: Status
    private let history: RunHistory
    private let failures: [QuarantineEntry]
    private let now: Timestamp
    private let version: String

    /// So many failed secrets are named; all are counted.
    private static let namedAtMost = 1000
    /// So many runs are shown.
    private static let runsAtMost = 20
    /// So many of them with a curve.
    private static let curvesAtMost = 5

    /// - Parameters:
    ///   - home: the home.
    ///   - version: this program's version.
    ///   - now: this machine's clock.
    /// - Throws: what a store or the key repository throws.
    public init(_ home: Home, version: String, now: Timestamp = .now) throws {
        status = try Status(home, now: now)
        history = RunHistory(home.layout, limit: Self.runsAtMost)
        failures = try home.stores.flatMap { try $0.quarantine(limit: Self.namedAtMost) }
        self.now = now
        self.version = version
    }

    /// The page (HTML5, UTF-8).
    public var html: String {
        HTML.document(
            .element(
                "html", [("lang", "en")],
                [
                    .element(
                        "head", [],
                        [
                            .element("meta", [("charset", "utf-8")]),
                            .element(
                                "meta",
                                [
                                    ("http-equiv", "Content-Security-Policy"),
                                    ("content", "default-src 'none'; style-src 'unsafe-inline'"),
                                ]),
                            .element(
                                "meta", [("name", "viewport"), ("content", "width=device-width, initial-scale=1")]),
                            .element("title", text: "keyroll: \(status.group)"), .pageStyle,
                        ]), .element("body", [], [header, main]),
                ]))
    }

    private var header: HTML {
        .element(
            "header", [],
            [
                .element("h1", [], [HTML("Key group "), .name(status.group)]),
                .element(
                    "p", [("class", "quiet")], text: "as of \(now), by keyroll \(version) (keyroll report --html)"),
            ])
    }

    private var main: HTML {
        .element("main", [], [summary, due, generations, runs, failed])
    }

    private var summary: HTML {
        func figure(_ term: String, _ field: String, _ value: String, _ look: String = "") -> HTML {
            .element(
                "div", [],
                [
                    .element("dt", text: term),
                    .element("dd", [("data-field", field)] + (look.isEmpty ? [] : [("class", look)]), text: value),
                ])
        }
        return .element(
            "section", [("aria-label", "Summary")],
            [
                .element(
                    "dl", [],
                    [
                        figure(
                            "Standing", "overdue", status.overdue ? "overdue" : "nothing overdue",
                            status.overdue ? "bad" : "good"),
                        figure("Secrets", "secrets", "\(status.secrets)"),
                        figure("Active generation", "active", status.active.map(String.init) ?? "none"),
                        figure("Left for a rotation to move", "remaining", "\(status.remaining)"),
                        figure(
                            "Quarantined", "quarantined", "\(status.quarantined)",
                            status.quarantined > 0 ? "bad" : ""),
                        figure("Next roll due", "nextRoll", status.nextRoll?.description ?? "-"),
                        figure("Last proven restorable", "provenRestorable", lastProven),
                    ])
            ])
    }

    private var lastProven: String {
        status.generations.compactMap(\.provenRestorable).max()?.description ?? "never"
    }

    private var due: HTML {
        let items =
            status.attention.map { HTML.element("li", [("class", "warn"), ("data-field", "attention")], text: $0) }
            + status.notes.map { HTML.element("li", [("class", "quiet"), ("data-field", "note")], text: $0) }
        let recipients = status.provenRecipients
        return section(
            "What is due",
            [
                items.isEmpty ? .element("p", [("class", "good")], text: "Nothing.") : .element("ul", [], items),
                .element(
                    "p", [("class", "quiet")],
                    [HTML(recipients.isEmpty ? "No recovery recipient is proven." : "Proven recovery recipients: ")]
                        + recipients.enumerated().flatMap { [HTML($0.offset > 0 ? ", " : ""), .name($0.element)] }),
            ])
    }

    private var generations: HTML {
        guard !status.generations.isEmpty else {
            return section("Generations", [.element("p", text: "There is none.")])
        }
        let rows = status.generations.map { line in
            PageTable.row(
                [
                    .header("\(line.number)"), .text(line.state + (line.archived ? ", archived" : ""), "state"),
                    .number("\(line.secrets)", "secrets"), .number("\(line.quarantined)", "quarantined"),
                    .number("\(line.inCopies)", "inCopies"), .text(line.created.description, "created"),
                    .text(line.activated?.description ?? "-", "activated"),
                    .text(line.deactivated?.description ?? "-", "deactivated"),
                    .text(line.provenRestorable?.description ?? "never", "provenRestorable"),
                ], id: "generation-\(line.number)")
        }
        return section(
            "Generations",
            [
                .element(
                    "figure", [],
                    [
                        Timeline(status.generations, now: now).drawing,
                        .element("figcaption", [], [Timeline.key]),
                    ]),
                PageTable.table(
                    "The census: what each generation protects",
                    [
                        "generation", "state", "#secrets", "#quarantined", "#in copies", "published", "activated",
                        "deactivated", "proven restorable",
                    ], rows),
            ])
    }

    private var runs: HTML {
        var seen: Set<String> = []
        // Of kinds that leave no report of every run, and of runs with nothing to do, the last one.
        let all = (history.recent + history.last).filter { seen.insert($0.job).inserted }
        guard !all.isEmpty else { return section("Last runs", [.element("p", text: "There was none yet.")]) }
        let rows = all.map { run in
            PageTable.row(
                [
                    .name(run.job), .text((run.started ?? run.ended)?.description ?? "-", "started"),
                    .number(Numbers.seconds(run.seconds), "seconds"),
                    .number(Numbers.short(run.secretsPerSecond), "secretsPerSecond"),
                    .number("\(run.scanned)", "scanned"),
                    .number("\(run.moved)", "moved"), .number("\(run.current)", "current"),
                    .number("\(run.superseded)", "superseded"), .number("\(run.failed["total"] ?? 0)", "failed"),
                    .text(run.limitedBy ?? "-", "limitedBy"),
                    .text(
                        run.interrupted ? "interrupted" : run.success == false ? "needs attention" : "done", "result"),
                ], id: run.job)
        }
        let curves = all.compactMap { run in
            RateCurve(run.course).drawing.map {
                HTML.element(
                    "figure", [],
                    [$0, .element("figcaption", [], [.name(run.job), HTML(": secrets a second, over its seconds")])])
            }
        }
        return section(
            "Last runs",
            [
                PageTable.table(
                    "Outcomes add up: scanned = moved + current + superseded + failed",
                    [
                        "job", "started", "#took", "#a second", "#scanned", "#moved", "#current", "#superseded",
                        "#failed", "limited by", "result",
                    ], rows)
            ] + curves.prefix(Self.curvesAtMost))
    }

    private var failed: HTML {
        guard !failures.isEmpty else {
            return section("Failures", [.element("p", [("class", "good")], text: "No secret is quarantined.")])
        }
        var pieces: [HTML] = []
        for reason in FailureReason.allCases {
            let entries = failures.filter { $0.reason == reason }
            guard !entries.isEmpty else { continue }
            pieces.append(
                PageTable.table(
                    "\(reason.meaning) (\(reason.rawValue)): \(entries.count)\(failures.count >= Self.namedAtMost ? " of those named here" : "")",
                    ["secret", "#generation", "first seen", "last seen", "by job", "accepted as lost"],
                    entries.map { entry in
                        PageTable.row([
                            .name(entry.name), .number("\(entry.generation)", "generation"),
                            .text("\(entry.firstSeen)", "firstSeen"), .text("\(entry.lastSeen)", "lastSeen"),
                            .name(entry.job), entry.accepted.map { .name($0) } ?? .text("-", "accepted"),
                        ])
                    }))
        }
        return section("Failures", pieces)
    }

    private func section(_ title: String, _ children: [HTML]) -> HTML {
        .element("section", [("aria-label", title)], [.element("h2", text: title)] + children)
    }
}

extension FailureReason {
    /// What it means, for people.
    fileprivate var meaning: String {
        switch self {
        case .keyAbsent: "The generation is not here"
        case .keyNotPermitted: "The generation may not unprotect"
        case .integrityCheckFailed: "Altered, or parts do not belong together"
        case .malformed: "Not what keyroll writes"
        }
    }
}
