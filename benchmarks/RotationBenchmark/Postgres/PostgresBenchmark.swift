import Home
import PostgreSQL
import Rotation
import SecretStores

/// A rotation of a store on a PostgreSQL server beside the bare limits of the same server, in rounds as ``Benchmark``.
struct PostgresBenchmark {
    private let arguments: Arguments
    private let connection: String
    private let folder: String

    init(_ arguments: Arguments, _ connection: String, in folder: String) {
        self.arguments = arguments
        self.connection = connection
        self.folder = folder
    }

    func run() throws -> PostgresReport {
        let address = try ServerAddress(connection)
        let tables = try PostgresTables(address)
        do {
            let report = try run(address, tables)
            try tables.remove()
            return report
        } catch {
            try? tables.remove()
            throw error
        }
    }

    private func run(_ address: ServerAddress, _ tables: PostgresTables) throws -> PostgresReport {
        Progress.say("making a store with \(arguments.secrets) secrets")
        let made = try BenchmarkHome(
            at: folder + "/home", secrets: arguments.secrets,
            kind: .postgres(connection: connection, schema: PostgresTables.store, timeout: 60))
        let home = try made.open()
        let slots = home.store.slotsPerPage
        let pages = try PostgresBareLoop(address, tables.copyOfPages(length: slots * Slot.length))
        let rows = try PostgresBareLoop(address, tables.rows(arguments.secrets, slotsPerPage: slots))
        let expectedPages = (arguments.secrets + slots - 1) / slots
        try tables.settle()

        var report = PostgresReport(arguments, server: try tables.settings())
        // Two rounds that do not count: from the third on a row's next version takes the place of one that is over.
        for round in -1...arguments.runs {
            Progress.say(round < 1 ? "warming up" : "round \(round) of \(arguments.runs)")
            var values: [PostgresReport.Measure: Double] = [:]
            var done = (stages: StageTimes(), rewrap: 0.0)
            values[.rotate] = try perSecond(tables) { done = try made.rotate(home, workers: Benchmark.cores) }
            values[.rewrap] = Double(arguments.secrets) / done.rewrap
            try made.check(home)
            values[.pages] = try perSecond(tables) { try expect(pages.run(.planned), expectedPages) }
            values[.pagesNested] = try perSecond(tables) { try expect(pages.run(.nested), expectedPages) }
            values[.pagesDurable] = try perSecond(tables) {
                try expect(pages.run(.planned, isDurable: true), expectedPages)
            }
            values[.rows] = try perSecond(tables) { try expect(rows.run(.planned), arguments.secrets) }
            values[.rowsNested] = try perSecond(tables) { try expect(rows.run(.nested), arguments.secrets) }
            if round > 0 { report.add(values, done.stages) }
        }
        report.finish()
        return report
    }

    /// Secrets a second.
    private func perSecond(_ tables: PostgresTables, _ body: () throws -> Void) throws -> Double {
        try tables.checkpoint()
        return Double(arguments.secrets) / (try Stopwatch.seconds(body))
    }

    private func expect(_ found: Int, _ expected: Int) throws {
        guard found == expected else { throw BenchmarkHome.Wrong(what: "\(found) rows instead of \(expected)") }
    }
}
