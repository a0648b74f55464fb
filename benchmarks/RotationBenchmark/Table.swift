import Foundation

/// Columns of text: the first to the left, the others to the right.
struct Table {
    private var rows: [[String]]
    private var rules: Set<Int> = [1]

    init(columns: [String]) { rows = [columns] }

    mutating func add(_ row: [String]) { rows.append(row) }

    /// A line across, before the next row.
    mutating func addRule() { rules.insert(rows.count) }

    var text: String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
        }
        var lines: [String] = []
        for (number, row) in rows.enumerated() {
            if rules.contains(number) {
                lines.append(widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "))
            }
            let cells = widths.enumerated().map { column, width in
                let cell = row.count > column ? row[column] : ""
                let space = String(repeating: " ", count: width - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            lines.append(line)
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
