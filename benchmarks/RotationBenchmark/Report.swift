import Foundation
import Rotation

/// The figures: a table for people, JSON for machines.
struct Report {
    /// What is measured.
    enum Measure: String, CaseIterable, Encodable {
        case evpWrap, lanes, singleWrap, blocks, rotate, pagesByStatement, pagesByBlob, rowsByStatement, rowsByBlob

        var title: String {
            switch self {
            case .evpWrap: "key wrap: EVP AES-256-WRAP, contexts kept"
            case .lanes: "key wrap: batches (KeyWrapLanes)"
            case .singleWrap: "key wrap: keyroll's single form (KeyWrap)"
            case .blocks: "key wrap: AES-256-ECB alone, 48 blocks a pair"
            case .rotate: "rotate, end to end"
            case .pagesByStatement: "bare pages, UPDATE"
            case .pagesByBlob: "bare pages, blob I/O"
            case .rowsByStatement: "bare rows, one key each, UPDATE"
            case .rowsByBlob: "bare rows, one key each, blob I/O"
            }
        }

        var unit: String {
            switch self {
            case .evpWrap, .lanes, .singleWrap, .blocks: "pairs/s"
            default: "secrets/s"
            }
        }
    }

    let secrets: Int
    let runs: Int
    private(set) var machine = Machine()
    private(set) var measures: [Measure: Samples] = [:]
    private var stages = StageSamples()

    init(_ arguments: Arguments) {
        secrets = arguments.secrets
        runs = arguments.runs
    }

    mutating func add(_ values: [Measure: Double], _ times: StageTimes) {
        for (measure, value) in values { measures[measure, default: Samples()].values.append(value) }
        stages.add(times)
    }

    mutating func finish(sqlite: String) {
        machine.sqlite = sqlite
        machine.loadAfter = Machine.load()
    }

    /// The faster of two forms is the limit.
    private func faster(_ one: Measure, _ other: Measure) -> Samples {
        let (left, right) = (measures[one] ?? Samples(), measures[other] ?? Samples())
        return left.median >= right.median ? left : right
    }

    var bars: [Bar] {
        func bar(_ name: String, _ samples: Samples, _ limit: Samples, _ bar: Double, strictly: Bool = false) -> Bar {
            let ratio = samples / limit
            return Bar(name: name, ratio: ratio, bar: bar, holds: strictly ? ratio.median > bar : ratio.median >= bar)
        }
        let rotate = measures[.rotate] ?? Samples()
        return [
            bar("batched key wrap / EVP", measures[.lanes] ?? Samples(), measures[.evpWrap] ?? Samples(), 15),
            bar("rotate / bare pages", rotate, faster(.pagesByStatement, .pagesByBlob), 0.6),
            bar("rotate / bare rows", rotate, faster(.rowsByStatement, .rowsByBlob), 1, strictly: true),
        ]
    }

    var text: String {
        var table = Table(columns: ["what", "median", "min - max", "", "bar", "holds"])
        for measure in Measure.allCases {
            guard let samples = measures[measure] else { continue }
            table.add([
                measure.title, Self.short(samples.median),
                "\(Self.short(samples.minimum)) - \(Self.short(samples.maximum))", measure.unit,
            ])
        }
        table.addRule()
        for bar in bars {
            let sign = bar.name.hasSuffix("rows") ? ">" : ">="
            table.add([
                bar.name, Self.ratio(bar.ratio.median),
                "\(Self.ratio(bar.ratio.minimum)) - \(Self.ratio(bar.ratio.maximum))", "times",
                "\(sign) \(Self.ratio(bar.bar))", bar.holds ? "yes" : "NO",
            ])
        }
        return """
            \(secrets) secrets, medians of \(runs) interleaved rounds; ratios are taken round by round

            \(table.text)
            \(stages.text)
            \(machine.text)

            """
    }

    func write(to path: String) throws {
        let figures = measures.map { ($0.key.rawValue, Document.Figure(unit: $0.key.unit, samples: $0.value)) }
        try Document(
            machine: machine, secrets: secrets, runs: runs, measures: Dictionary(uniqueKeysWithValues: figures),
            stages: stages.values, bars: bars
        ).write(to: path)
    }

    static func short(_ value: Double) -> String {
        value >= 1_000_000 ? String(format: "%.2f M", value / 1e6) : String(format: "%.0f k", value / 1e3)
    }

    static func ratio(_ value: Double) -> String { String(format: "%.2f", value) }
}
