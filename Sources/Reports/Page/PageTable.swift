/// Tables of a page, which narrow screens can scroll.
enum PageTable {
    /// One cell; `field` names the number in `status --json` or in a run's report.
    enum Cell {
        case header(String)
        case text(String, String)
        case number(String, String)
        case name(String)
    }

    /// One row.
    static func row(_ cells: [Cell], id: String? = nil) -> HTML {
        .element(
            "tr", id.map { [("data-row", $0)] } ?? [],
            cells.map { cell in
                switch cell {
                case .header(let text): .element("th", [("scope", "row")], text: text)
                case .text(let text, let field): .element("td", [("class", "time"), ("data-field", field)], text: text)
                case .number(let text, let field):
                    .element("td", [("class", "number"), ("data-field", field)], text: text)
                case .name(let text): .element("td", [("class", "name")], [.name(text)])
                }
            })
    }

    /// A table; a column's title that begins with `#` is one of numbers.
    static func table(_ caption: String, _ titles: [String], _ rows: [HTML]) -> HTML {
        let heads = titles.map { title in
            title.hasPrefix("#")
                ? HTML.element("th", [("scope", "col"), ("class", "number")], text: String(title.dropFirst()))
                : HTML.element("th", [("scope", "col")], text: title)
        }
        return .element(
            "div", [("class", "wide"), ("tabindex", "0"), ("role", "region"), ("aria-label", caption)],
            [
                .element(
                    "table", [],
                    [
                        .element("caption", text: caption), .element("thead", [], [.element("tr", [], heads)]),
                        .element("tbody", [], rows),
                    ])
            ])
    }
}
