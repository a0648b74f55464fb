import Foundation

/// A private Slurm with two nodes on this machine; see `Tests/interop/slurm.sh`.
///
/// It ends when nobody holds it any more, at the latest with the process.
package final class SlurmCluster: Sendable {
    /// The nodes.
    package static let nodes = ["node1", "node2"]

    /// Its folder, in which commands run and jobs write what they print, unless they say otherwise.
    package let path: String
    /// The variables that lead Slurm's commands to it.
    package let environment: [String: String]
    private let folder: ServerFolder

    private static let script =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/interop/slurm.sh"

    /// Starts it, and waits until both nodes are idle.
    package init() throws {
        folder = try ServerFolder { path in "\(Self.script.quoted) stop \(path)/slurm\n" }
        path = folder.path + "/slurm"
        let lines = try Program.run([Self.script, "start", path], atMost: 60)
        let variables = String(decoding: lines, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: "=", maxSplits: 1)
        }
        environment = Dictionary(
            uniqueKeysWithValues: variables.filter { $0.count == 2 }.map { (String($0[0]), String($0[1])) })
    }

    /// Runs a command that has to succeed, such as `sbatch`, and gives what it printed.
    ///
    /// - Parameter variables: more of its environment; of the test's own nothing reaches it.
    @discardableResult
    package func run(_ words: [String], environment variables: [String: String] = [:]) throws -> String {
        let all = Program.environment.merging(environment) { $1 }.merging(variables) { $1 }
        let outcome = try Program.attempt(["/usr/bin/env", "-C", path] + words, environment: all)
        guard outcome.code == 0 else {
            throw ServerError("\(words.joined(separator: " ")) ended with \(outcome.code): \(outcome.errors)")
        }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    /// The state of each task of an array of jobs, such as `RUNNING` or `COMPLETED`.
    package func tasks(of job: String) throws -> [Int: String] {
        let lines = try run(["squeue", "-h", "-r", "-t", "all", "-o", "%K %T", "-j", job]).split(separator: "\n")
        return lines.reduce(into: [:]) { states, line in
            let words = line.split(separator: " ")
            if words.count == 2, let task = Int(words[0]) { states[task] = String(words[1]) }
        }
    }

    /// Kills a node with every task on it, as a failure of power would.
    ///
    /// The controller notices after some twenty seconds, and queues the tasks again that allow it.
    package func killNode(_ name: String) throws { try Program.run([Self.script, "kill-node", path, name]) }

    /// Starts a node again that was killed.
    package func startNode(_ name: String) throws { try Program.run([Self.script, "start-node", path, name]) }

    /// Ends it, with every task.
    package func stop() { folder.end() }
}
