import Foundation
import Home
import Rotation
import SecretStores

/// All measurements, in rounds: each round takes every one once (A B C, A B C …), so that what the machine does beside
/// them hits all alike.
struct Benchmark {
    private let arguments: Arguments
    private let folder: String

    init(_ arguments: Arguments, in folder: String) {
        self.arguments = arguments
        self.folder = folder
    }

    func run() throws -> Report {
        var report = Report(arguments)
        Progress.say("making a home with \(arguments.secrets) secrets in \(folder)")
        let made = try BenchmarkHome(at: folder + "/home", secrets: arguments.secrets)
        let copy = folder + "/bare.sqlite"
        try FileManager.default.copyItem(atPath: made.storePath, toPath: copy)
        let home = try made.open()
        let slots = home.store.slotsPerPage
        let pages = try BareLoop(.pages(in: copy, slotsPerPage: slots))
        let rows = try BareLoop(.rows(in: folder + "/rows.sqlite", count: arguments.secrets, slotsPerPage: slots))
        let keyWrap = try KeyWrapMeasures()
        let expectedPages = (arguments.secrets + slots - 1) / slots

        // One round that does not count: it brings the files into the page cache and the processor up to speed.
        for round in 0...arguments.runs {
            Progress.say(round == 0 ? "warming up" : "round \(round) of \(arguments.runs)")
            var values: [Report.Measure: Double] = [:]
            values[.evpWrap] = try keyWrap.evp()
            values[.lanes] = try keyWrap.lanes()
            values[.singleWrap] = try keyWrap.single()
            values[.blocks] = try keyWrap.blocksAlone()

            var stages = StageTimes()
            values[.rotate] = try perSecond { stages = try made.rotate(home, workers: Self.cores).stages }
            try made.check(home)
            values[.pagesByStatement] = try perSecond { try expect(pages.run(.statement), expectedPages) }
            values[.pagesByBlob] = try perSecond { try expect(pages.run(.blob), expectedPages) }
            values[.rowsByStatement] = try perSecond { try expect(rows.run(.statement), arguments.secrets) }
            values[.rowsByBlob] = try perSecond { try expect(rows.run(.blob), arguments.secrets) }
            if round > 0 { report.add(values, stages) }
        }
        report.finish(sqlite: try pages.sqliteVersion())
        return report
    }

    /// Secrets a second. What earlier measurements left to be written goes to the disk first, so that nobody pays for
    /// another's pages.
    private func perSecond(_ body: () throws -> Void) rethrows -> Double {
        sync()
        return Double(arguments.secrets) / (try Stopwatch.seconds(body))
    }

    private func expect(_ found: Int, _ expected: Int) throws {
        guard found == expected else { throw BenchmarkHome.Wrong(what: "\(found) records instead of \(expected)") }
    }

    /// As many workers as `keyroll rotate` takes.
    static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
