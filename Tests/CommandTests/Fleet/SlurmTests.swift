import Foundation
import TestServers
import Testing

/// A fleet that Slurm starts: Debian's own, two nodes on this machine.
@Suite struct SlurmTests {
    /// Four tasks; one node dies with its tasks.
    @Test func anArrayThatLosesANode() throws {
        let count = 200_000
        let home = try FleetHome(count)
        let job = try home.plan()
        let cluster = try SlurmCluster()
        defer { cluster.stop() }
        let script = FileManager.default.currentDirectoryPath + "/jobs/slurm-rotate.sh"
        // A wrapper holds the rate down, so that there is something left when the node dies.
        let wrapper = try home.scratch.write(
            "keyroll-slowly",
            """
            #!/bin/sh
            exec \(Keyroll.binary) "$@" --lease 3s --workers 1 --max-rate 15000
            """)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: wrapper)
        let submitted = try cluster.run(
            ["sbatch", "--parsable", "--array=0-3", "--export=ALL", script],
            environment: ["KEYROLL_JOB": job, "KEYROLL_HOME": home.scratch.path, "KEYROLL": wrapper])
        let array = submitted.trimmingCharacters(in: .whitespacesAndNewlines)
        try home.waitUntilHalfMoved()
        try cluster.killNode("node2")
        let end = Date().addingTimeInterval(100)
        while try home.scratch.census().counts[2] != count, Date() < end { usleep(200_000) }
        // The end of the job is a moment after the last secret's.
        let report = home.scratch.file("reports/\(job).json")
        while !FileManager.default.fileExists(atPath: report), Date() < end { usleep(100_000) }
        #expect(try cluster.tasks(of: array).values.contains("COMPLETED"))
        try home.expectMoved(count, by: job)
    }
}
