import Foundation
import TestServers
import Testing

/// That the private Slurm runs arrays, and loses a node as a real one does.
@Suite struct SlurmClusterTests {
    @Test func anArrayRunsAndANodeIsLost() throws {
        let slurm = try SlurmCluster()
        let script = slurm.path + "/task.sh"
        try "#!/bin/sh\ntouch began-$SLURM_ARRAY_TASK_ID-$SLURMD_NODENAME\nsleep 3\ntouch ended-$SLURM_ARRAY_TASK_ID\n"
            .write(toFile: script, atomically: true, encoding: .utf8)
        let job = try slurm.run(["sbatch", "--parsable", "--array=0-3", script]).trimmingCharacters(in: .newlines)
        func files(_ prefix: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: slurm.path).filter { $0.hasPrefix(prefix) }
        }
        while try files("began").count < 4 { usleep(20_000) }
        try slurm.killNode("node2")
        let survivors = try files("began").filter { $0.hasSuffix("node1") }.compactMap { name in
            name.split(separator: "-").dropFirst().first.flatMap { Int($0) }
        }
        while try survivors.contains(where: { try slurm.tasks(of: job)[$0] != "COMPLETED" }) { usleep(100_000) }
        #expect(survivors.count == 2)
        #expect(try files("ended").sorted() == survivors.sorted().map { "ended-\($0)" })
        slurm.stop()
        #expect(!FileManager.default.fileExists(atPath: slurm.path))
    }
}
