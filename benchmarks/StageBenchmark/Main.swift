import Foundation
import Glibc
import Home

/// The stages of a job one by one, on one core: how many a second, how long a batch takes, how many allocations a secret.
///
/// ```
/// StageBenchmark HOME [--rounds N]
/// ```
///
/// The home is a scratch one, whose secrets are rewrapped and encrypted anew. Standard output is JSON: of each stage
/// the batches, each with its secrets and seconds, and with its allocations where `allocations.so` is preloaded.
@main
enum Main {
    static func main() {
        do {
            let (folder, rounds) = try arguments()
            let recorder = Recorder()
            let home = try Home.open(HomeLayout(folder)) { throw Failure(what: "a passphrase was asked for") }
            for _ in 0..<rounds {
                try KeyStages(home).run(recorder)
                try ContentStages(home).run(recorder)
            }
            try MessageStages().run(recorder, batches: 50 * rounds)
            try EnvelopeStages().run(recorder, times: 100 * rounds)
            CopyStage.run(recorder, times: 100 * rounds)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            FileHandle.standardOutput.write(try encoder.encode(recorder.stages) + Data("\n".utf8))
        } catch {
            FileHandle.standardError.write(Data("StageBenchmark: \(error)\n".utf8))
            exit(error is Usage ? 64 : 70)
        }
    }

    private static func arguments() throws -> (folder: String, rounds: Int) {
        let words = Array(CommandLine.arguments.dropFirst())
        guard let folder = words.first, !folder.hasPrefix("-") else { throw Usage() }
        guard words.count > 1 else { return (folder, 3) }
        guard words.count == 3, words[1] == "--rounds", let rounds = Int(words[2]), rounds > 0 else { throw Usage() }
        return (folder, rounds)
    }
}

/// Wrong words on the command line.
struct Usage: Error, CustomStringConvertible {
    var description: String { "usage: StageBenchmark HOME [--rounds N]" }
}

/// The benchmark's own check failed: what would follow are fast and wrong figures.
struct Failure: Error, CustomStringConvertible {
    var what: String
    var description: String { what }
}
