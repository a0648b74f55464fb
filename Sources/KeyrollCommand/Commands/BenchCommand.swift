import ArgumentParser
import Dispatch
import Files
import FoundationEssentials
import Glibc
import Home
import Jobs
import Logging
import Rotation

/// `keyroll bench`
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this machine, and say how long a rotation will take.",
        discussion: """
            Runs the real jobs in a scratch home with invented secrets, on the disk of the home (or of --folder), and \
            removes it. With --store also a dry run on that store of the home, which writes nothing there; its commits \
            are taken from the scratch home (sqlite) or from the last rotation (postgres).
            """)
    @OptionGroup var home: HomeOptions
    @Option(help: "A store of the home to try by dry run; may be given several times.") var store: [String] = []
    @Option(help: "How many invented secrets.") var secrets = 300_000
    @Option(help: "Bytes of each.") var size = 256
    @Option(help: "Crypto workers (else one a core).") var workers: Int?
    @Option(help: "The folder to make the scratch home in (else the home's disk, or where temporary files live).")
    var folder: String?
    @Option(help: "For how many seconds to look at a store, at most, twice.") var seconds = 10
    @Flag(help: "One JSON object on standard output and nothing else.") var json = false
    @Flag(help: "No progress.") var quiet = false

    func validate() throws {
        guard (1000...10_000_000).contains(secrets) else {
            throw ValidationError("--secrets has to be 1000 to 10000000")
        }
        guard (1...1_048_576).contains(size) else { throw ValidationError("--size has to be 1 to 1048576 bytes") }
        guard secrets * size <= 8 << 30 else { throw ValidationError("--secrets times --size has to be at most 8 GiB") }
        if let workers, !(1...64).contains(workers) { throw ValidationError("--workers has to be 1 to 64") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds has to be 1 to 3600") }
        RunArguments.log(.warning)
    }

    func run() {
        reporting {
            let crew = workers ?? RunArguments.cores
            // What is wrong with the home is said before a minute is spent.
            let opened = store.isEmpty ? nil : try home.open()
            for name in store { _ = try opened?.store(named: name) }
            let place = folder ?? Self.usualFolder(home.layout)
            var document = BenchDocument(secrets: secrets, bytes: size, workers: crew, folder: place)
            try measure(place, crew, &document)
            if document.isWhole, let opened {
                for name in store { try measure(name, opened, crew, &document) }
            }
            if json {
                try document.json().withUnsafeBytes { Output.bytes($0) }
            } else {
                Output.print(document.text)
            }
            guard document.isWhole else {
                Output.error("interrupted; the scratch home was removed")
                return .tryAgain
            }
            return .done
        }
    }

    private func measure(_ place: String, _ crew: Int, _ document: inout BenchDocument) throws {
        let trial = try TrialHome(in: place, secrets: secrets, size: size)
        let machine = MachineTrial(trial, workers: crew, cores: RunArguments.cores)
        for kind in MachineTrial.kinds {
            let control = RunControl()
            let result = try Progress.during(control, isQuiet: quiet) { try machine.run(kind, control: control) }
            guard !control.isStopping else {
                document.isWhole = false
                return
            }
            document.add(result)
        }
        withExtendedLifetime(trial) {}
    }

    private func measure(_ name: String, _ opened: Home, _ crew: Int, _ document: inout BenchDocument) throws {
        let chosen = try opened.store(named: name)
        var wasStopped = false
        let trial = try StoreTrial(chosen, opened, workers: crew, cores: RunArguments.cores) { control, body in
            let ended = DispatchWorkItem { control.stop() }
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds), execute: ended)
            let before = Date()
            try Progress.during(control, isQuiet: quiet, body)
            ended.cancel()
            // A stop before its time was somebody's wish.
            wasStopped = wasStopped || (control.isStopping && -before.timeIntervalSinceNow < Double(seconds))
        }
        if wasStopped { document.isWhole = false }
        let isServer = if case .postgres = opened.configuration.store(named: name)?.kind { true } else { false }
        let last = isServer ? RunRecord(path: opened.layout.reports + "/last-rotate.json") : nil
        document.add(name, trial, isServer: isServer, lastRun: last)
    }

    private static func usualFolder(_ layout: HomeLayout) -> String {
        if access(layout.path, W_OK) == 0 { return layout.path }
        return getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    }
}
