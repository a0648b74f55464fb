import Foundation
import TestServers
import Testing

/// What starts a fleet of workers: the script for Slurm, the Job for Kubernetes.
@Suite struct FleetFilesTests {
    private func file(_ name: String) throws -> String {
        try String(contentsOfFile: "\(Python.package)/jobs/\(name)", encoding: .utf8)
    }

    @Test func kubernetesRunsFourWorkersWithFewRights() throws {
        let job = try file("kubernetes-fleet.yaml")
        #expect(job.contains(#"command: ["/usr/bin/keyroll", "work", "--job", "@JOB@", "--home","#))
        for line in [
            "completionMode: Indexed", "completions: 4", "parallelism: 4", "restartPolicy: Never",
            "terminationGracePeriodSeconds: 60", "runAsNonRoot: true", "defaultMode: 0600",
        ] {
            #expect(job.contains(" \(line)\n"), "\(line)")
        }
        // The copy of the home and the worker: both of them.
        #expect(job.components(separatedBy: "readOnlyRootFilesystem: true").count == 3)
        #expect(job.contains("action: FailJob") && job.contains("values: [64, 77, 78]") && !job.contains("\t"))
    }

    /// The real script in a real Slurm; in the worker's place stands one that ends as it is told to.
    @Test func slurmRunsATaskAgainThatWasInterrupted() throws {
        let slurm = try SlurmCluster()
        let worker = slurm.path + "/worker"
        try """
        #!/bin/bash
        echo "$*" >>called-$SLURM_ARRAY_TASK_ID
        trap 'exit 75' TERM
        case $SLURM_ARRAY_TASK_ID-${SLURM_RESTART_COUNT:-0} in
        0-0) exit 75 ;;
        1-0 | 2-0) sleep 600 & touch "waits-$SLURM_ARRAY_TASK_ID"; wait ;;
        3-0) exit 65 ;;
        esac
        """.write(toFile: worker, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: worker)
        let job = try slurm.run(
            [
                "sbatch", "--parsable", "--array=0-3", "--export=ALL,KEYROLL_JOB=7",
                "\(Python.package)/jobs/slurm-rotate.sh",
            ],
            environment: ["KEYROLL": worker, "KEYROLL_HOME": "/the/home"]
        ).trimmingCharacters(in: .newlines)

        // As Slurm does when the time is nearly over, and as somebody who does not want it any more.
        for task in 1...2 { try wait { FileManager.default.fileExists(atPath: "\(slurm.path)/waits-\(task)") } }
        try slurm.run(["scancel", "--batch", "--signal=USR1", "\(job)_1"])
        try slurm.run(["scancel", "\(job)_2"])

        let states = [0: "COMPLETED", 1: "COMPLETED", 2: "CANCELLED", 3: "FAILED"]
        try wait { try slurm.tasks(of: job) == states }
        let calls = try (0...3).map { try String(contentsOfFile: "\(slurm.path)/called-\($0)", encoding: .utf8) }
        let call = "work --job 7 --home /the/home\n"
        #expect(calls == [call + call, call + call, call, call])
    }

    private func wait(sourceLocation: SourceLocation = #_sourceLocation, until isTrue: () throws -> Bool) throws {
        for _ in 0..<600 {
            if try isTrue() { return }
            usleep(100_000)
        }
        try #require(Bool(false), "it does not happen", sourceLocation: sourceLocation)
    }
}
