import Audit
import Cryptography
import Files
import Foundation
import Glibc

/// Writes and verifies audit logs: for measurements, and as the other process of the tests.
///
/// ```
/// AuditBenchmark append FOLDER COUNT [plain|synced|THREADS]   appends, and says how many a second
/// AuditBenchmark verify FOLDER                                verifies, and says how long it took
/// AuditBenchmark report FOLDER                                appends for ever and prints each position
/// AuditBenchmark idle FOLDER                                  one append, then nothing: switches of context are counted
/// ```
@main
enum Main {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else { return usage() }
        let folder = BenchmarkLog(arguments[2])
        switch arguments[1] {
        case "append":
            try append(folder, Int(arguments[3]) ?? 0, arguments.count > 4 ? arguments[4] : "plain")
        case "verify": try verify(folder)
        case "report": try report(folder)
        case "idle": try idle(folder)
        default: usage()
        }
    }

    private static func usage() {
        print("usage: AuditBenchmark append|verify|report|idle FOLDER [COUNT [plain|synced|THREADS]]")
    }

    static func event(_ number: Int, _ actor: AuditActor) -> AuditEvent {
        AuditEvent(
            .unprotect, .done, by: actor, secret: "service/database/account-\(number)", grant: "g-20261124-0001",
            approvers: ["security", "legal"], reason: "incident 4711", facts: [("generation", .number(3))])
    }

    private static func append(_ folder: BenchmarkLog, _ count: Int, _ how: String) throws {
        let log = try folder.open()
        let actor = AuditActor.own()
        let threads = Int(how) ?? 1
        let isSynced = how == "synced"
        let start = ContinuousClock.now
        if threads == 1 {
            for number in 0..<count { try log.append(event(number, actor), synced: isSynced) }
        } else {
            // Threads of their own: Dispatch starts no more than there are cores.
            let group = DispatchGroup()
            for _ in 0..<threads {
                group.enter()
                Thread.detachNewThread {
                    defer { group.leave() }
                    do {
                        for number in 0..<(count / threads) { try log.append(event(number, actor), synced: true) }
                    } catch { print("\(error)") }
                }
            }
            group.wait()
        }
        let seconds = start.duration(to: .now)
        try log.close()
        let rate = Double(count) / (Double(seconds.components.seconds) + Double(seconds.components.attoseconds) / 1e18)
        print("\(count) appends (\(how)) in \(seconds): \(Int(rate)) a second")
    }

    private static func verify(_ folder: BenchmarkLog) throws {
        let start = ContinuousClock.now
        let verdict = try AuditVerifier.verify(
            folder: folder.audit, trusted: [folder.signer().certificate], seal: BenchmarkLog.seal)
        let seconds = start.duration(to: .now)
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        print(
            "\(verdict.entries) entries, \(verdict.checkpoints) checkpoints, fault \(String(describing: verdict.fault)) in \(seconds); at most \(usage.ru_maxrss >> 10) MiB"
        )
    }

    private static func report(_ folder: BenchmarkLog) throws {
        let log = try folder.open()
        let actor = AuditActor.own()
        var number = 0
        while true {
            let position = try log.append(event(number, actor), synced: number % 50 == 0)
            let line = Array("\(position.number) \(position.hash)\n".utf8)
            guard write(1, line, line.count) == line.count else { return }
            number += 1
        }
    }

    private static func idle(_ folder: BenchmarkLog) throws {
        let log = try folder.open()
        try log.append(event(1, .own()))
        sleep(1)
        var before = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &before)
        sleep(5)
        var after = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &after)
        print("\(after.ru_nvcsw - before.ru_nvcsw) voluntary switches of context in 5 idle seconds")
        try log.close()
    }
}
