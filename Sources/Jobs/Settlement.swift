import Custody
import Files
import Home
import KeyManagement
import Rotation

/// What follows a rewrap, and must happen once: notes which generations nothing needs, retires and rehearses as policy
/// says.
struct Settlement {
    private let home: Home
    private let control: RunControl

    /// - Parameters:
    ///   - home: the home; the caller holds its run lock.
    ///   - control: stop.
    init(_ home: Home, control: RunControl) {
        self.home = home
        self.control = control
    }

    func run(_ report: inout JobReport, _ job: String) throws {
        let retirement = Retirement(home, job: job)
        try retirement.noteEmpty(at: .now)
        for number in try retirement.due(at: .now) where !control.isStopping {
            let obstacles = try retirement.retire(number, reason: "nothing needs it any more", override: nil)
            if obstacles.isEmpty {
                report.retired.append(number)
            } else {
                // Everything else that holds a generation back ends by itself.
                if obstacles.contains(where: \.isBundleFault) { report.needsAttention = true }
                report.notes.append(
                    "generation \(number) stays on line: \(obstacles.map(\.description).joined(separator: "; "))")
            }
        }
        let due = Rehearsal.due(home.keeper.keyring.ring, home.configuration.policy, now: .now)
        guard !due.isEmpty, !control.isStopping else { return }
        for finding in try Rehearsal(home, job: job).run(due, with: nil) {
            if let fault = finding.fault {
                report.needsAttention = true
                report.notes.append("generation \(finding.number) was NOT proven restorable: \(fault)")
            } else {
                report.rehearsed.append(finding.number)
            }
        }
    }
}
