import Cryptography
import Glibc

/// The first benchmark: rotation end to end beside the bare limits, in one run and interleaved.
@main
enum Main {
    static func main() {
        do {
            let arguments = try Arguments(CommandLine.arguments.dropFirst())
            if let path = arguments.bareContents {
                let loop = try BareContents(path, batchBytes: arguments.batchBytes)
                var count = 0
                let seconds = try Stopwatch.seconds { count = try loop.run(arguments.form) }
                print("{\"contents\": \(count), \"seconds\": \(seconds)}")
                return
            }
            if let home = arguments.puts {
                print("{\"milliseconds\": \(try PutLoop.run(home))}")
                return
            }
            // A broken library would give fast and wrong figures.
            try SelfTest.run()
            let scratch = try ScratchFolder(in: arguments.folder)
            defer { scratch.remove() }
            if let connection = arguments.postgres {
                let report = try PostgresBenchmark(arguments, connection, in: scratch.path).run()
                print(report.text, terminator: "")
                if let path = arguments.json { try report.write(to: path) }
            } else {
                let report = try Benchmark(arguments, in: scratch.path).run()
                print(report.text, terminator: "")
                if let path = arguments.json { try report.write(to: path) }
            }
        } catch let error as Arguments.Usage {
            fail(error.message, code: 64)
        } catch {
            fail("\(error)", code: 70)
        }
    }

    private static func fail(_ message: String, code: Int32) -> Never {
        Progress.say("RotationBenchmark: \(message)")
        exit(code)
    }
}

/// What is being done, for a person who waits: on standard error, so that the table can be piped.
enum Progress {
    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(2, bytes, bytes.count)
    }
}
