import Files
import Foundation

/// Where the figures come from: without this they compare with nothing.
struct Machine: Encodable {
    var time = Timestamp.now.description
    var processor = Self.processor()
    var cores = Benchmark.cores
    var kernel = Self.kernel()
    var swift = Self.swift()
    var openssl = OpenSSL.version
    var sqlite = "unknown"
    var loadBefore = Self.load()
    var loadAfter: [Double] = []

    var text: String {
        """
        \(processor), \(cores) cores, Linux \(kernel), Swift \(swift), \(openssl), SQLite \(sqlite)
        \(time), load average \(Self.shown(loadBefore)) before, \(Self.shown(loadAfter)) after
        """
    }

    /// Load averages of 1, 5 and 15 minutes; other builds on the machine show here.
    static func load() -> [Double] {
        var averages = [0.0, 0.0, 0.0]
        return getloadavg(&averages, 3) == 3 ? averages : []
    }

    private static func shown(_ load: [Double]) -> String {
        load.map { String(format: "%.2f", $0) }.joined(separator: " ")
    }

    private static func processor() -> String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
    }

    private static func kernel() -> String {
        let text = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? "unknown"
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The tool chain's own answer: the language gives a program no way to ask for its compiler's version.
    private static func swift() -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["swift", "--version"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return "unknown" }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let start = text.range(of: "Swift version ") else { return "unknown" }
        return String(text[start.upperBound...].prefix { !$0.isWhitespace })
    }
}
