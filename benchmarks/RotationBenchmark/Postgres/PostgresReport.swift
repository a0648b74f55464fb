import Rotation

/// The figures of a store on a PostgreSQL server.
struct PostgresReport {
    /// What is measured.
    enum Measure: String, CaseIterable {
        case rotate, rewrap, pages, pagesNested, pagesDurable, rows, rowsNested

        var title: String {
            switch self {
            case .rotate: "rotate, end to end"
            case .rewrap: "the rewrap of it, with the closing count and barrier"
            case .pages: "bare pages, UPDATE … FROM unnest"
            case .pagesNested: "bare pages, each through the index"
            case .pagesDurable: "bare pages, synchronous_commit=on"
            case .rows: "bare rows, one key each"
            case .rowsNested: "bare rows, each through the index"
            }
        }
    }

    private let secrets: Int
    private let runs: Int
    private let server: [String: String]
    private var machine = Machine()
    private var measures: [Measure: Samples] = [:]
    private var stages = StageSamples()

    init(_ arguments: Arguments, server: [String: String]) {
        secrets = arguments.secrets
        runs = arguments.runs
        self.server = server
    }

    mutating func add(_ values: [Measure: Double], _ times: StageTimes) {
        for (measure, value) in values { measures[measure, default: Samples()].values.append(value) }
        stages.add(times)
    }

    mutating func finish() { machine.loadAfter = Machine.load() }

    private func samples(_ measure: Measure) -> Samples { measures[measure] ?? Samples() }

    /// The faster of two forms is the limit.
    private func faster(_ one: Measure, _ other: Measure) -> Samples {
        samples(one).median >= samples(other).median ? samples(one) : samples(other)
    }

    private var bars: [Bar] {
        func bar(_ name: String, _ limit: Samples, _ bar: Double) -> Bar {
            let ratio = samples(.rewrap) / limit
            return Bar(name: name, ratio: ratio, bar: bar, holds: ratio.median >= bar)
        }
        return [
            bar("rewrap / bare pages", faster(.pages, .pagesNested), 0.6),
            bar("rewrap / bare rows", faster(.rows, .rowsNested), 8),
        ]
    }

    var text: String {
        var table = Table(columns: ["what", "median", "min - max", "", "bar", "holds"])
        for measure in Measure.allCases {
            let found = samples(measure)
            table.add([
                measure.title, Report.short(found.median),
                "\(Report.short(found.minimum)) - \(Report.short(found.maximum))", "secrets/s",
            ])
        }
        table.addRule()
        let durable = samples(.rewrap) / samples(.pagesDurable)
        for bar in bars {
            table.add([
                bar.name, Report.ratio(bar.ratio.median),
                "\(Report.ratio(bar.ratio.minimum)) - \(Report.ratio(bar.ratio.maximum))", "times",
                ">= \(Report.ratio(bar.bar))", bar.holds ? "yes" : "NO",
            ])
        }
        table.add([
            "rewrap / bare pages, synchronous_commit=on", Report.ratio(durable.median),
            "\(Report.ratio(durable.minimum)) - \(Report.ratio(durable.maximum))", "times",
        ])
        let settings = server.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        return """
            \(secrets) secrets, medians of \(runs) interleaved rounds, each right after a checkpoint; ratios are taken round by round

            \(table.text)
            \(stages.text)
            PostgreSQL \(settings)
            \(machine.text)

            """
    }

    func write(to path: String) throws {
        let figures = measures.map { ($0.key.rawValue, Document.Figure(unit: "secrets/s", samples: $0.value)) }
        try Document(
            benchmark: "RotationBenchmark --postgres", machine: machine, server: server, secrets: secrets, runs: runs,
            measures: Dictionary(uniqueKeysWithValues: figures), stages: stages.values, bars: bars
        ).write(to: path)
    }
}
