/// Text in Prometheus' exposition format (version 0.0.4), as node_exporter's textfile collector reads it.
struct PrometheusText {
    private(set) var text = ""

    /// A gauge with its samples; nothing where there is none.
    ///
    /// - Parameters:
    ///   - name: the metric's name, with its unit at the end.
    ///   - help: one line.
    ///   - samples: labels, and a value that is nil where there is none to give.
    mutating func gauge(_ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: Double?)]) {
        let known = samples.compactMap { sample in sample.value.map { (sample.labels, $0) } }
        guard !known.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
        for (labels, value) in known {
            let inside = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            text += "\(name){\(inside)} \(Self.number(value))\n"
        }
    }

    /// A label's value: backslash, quote and new line are escaped, and whatever else could break a line.
    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            case "\r": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }
}
