import Files
import Home
import Jobs
import Rotation

/// Runs jobs with progress, and prints what they did.
enum JobRunner {
    static func rotate(
        _ home: Home, isForced: Bool, retriesQuarantined: Bool = false, fleet: FleetOptions? = nil, options: RunOptions,
        output: JobOutput
    ) throws -> Exit {
        let control = RunControl()
        let job = RotateJob(
            home, isForced: isForced, retriesQuarantined: retriesQuarantined, fleet: fleet, options: options,
            control: control)
        let ran = try during("rotate", home, control, output) { try job.run() }
        let report = ran.report
        if fleet?.isDetached == true, !output.isJSON {
            // The name alone, for job=$(keyroll rotate --fleet --detach); nothing where there is nothing to share.
            if report.isDetached { Output.print(report.job + "\n") }
            output.show(report.notes)
            return report.needsAttention ? .someFailed : .done
        }
        return try output.show(ran)
    }

    static func work(_ home: Home, job: String, lease: Int64, options: RunOptions, output: JobOutput) throws -> Exit {
        let control = RunControl()
        let work = WorkJob(home, job: job, lease: lease, options: options, control: control)
        return try output.show(during("rotate", home, control, output) { try work.run() })
    }

    static func reencrypt(
        _ home: Home, compromised: [UInt32], occurred: Timestamp?, reason: String, options: RunOptions,
        output: JobOutput
    ) throws -> Exit {
        let control = RunControl()
        let job = ReencryptJob(
            home, compromised: compromised, occurred: occurred, reason: reason, options: options, control: control)
        return try output.show(during("reencrypt", home, control, output) { try job.run() })
    }

    static func verify(_ home: Home, options: RunOptions, output: JobOutput) throws -> Exit {
        let control = RunControl()
        let job = VerifyJob(home, options: options, control: control)
        return try output.show(during("verify", home, control, output) { try job.run() })
    }

    /// Runs a job while its progress is shown, and keeps the metrics' file up to date.
    static func during(
        _ kind: String, _ home: Home, _ control: RunControl, _ output: JobOutput, _ body: () throws -> JobReport
    ) throws -> JobOutput.Ran {
        let metrics = output.metrics.map { MetricsWriter($0, home, kind: kind, control: control) }
        metrics?.writeRunning()
        do {
            let report = try Progress.during(
                control, isQuiet: output.isQuiet, also: metrics.map { metrics in { metrics.writeRunning() } }, body)
            return .init(report: report, metricsFault: metrics?.writeEnd())
        } catch {
            _ = metrics?.writeEnd()
            throw error
        }
    }
}
