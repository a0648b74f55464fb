import Files
import Jobs
import Home
import KeyManagement
import Testing

/// What a rotation decides, as a table: a ring, the time and the counts go in, steps come out.
@Suite struct RotationPlanTests {
    private static let day: Int64 = 86400
    private static let start = Timestamp(rawValue: 1_760_000_000)

    /// A ring by its generations' states; generation n was published on day 10 × n and activated a day later.
    private func ring(_ states: [GenerationState]) throws -> Ring {
        let home = try TestHome()
        defer { withExtendedLifetime(home) {} }
        for index in states.indices {
            let number = try home.keeper.publish(
                above: 0, at: Self.start + Int64(index + 2) * 10 * Self.day, reason: "")
            try home.home.escrow(number)
        }
        var ring = home.keeper.keyring.ring
        // The home's own first generation is active already; the second one takes its place in the table.
        for (index, state) in states.enumerated() {
            let number = UInt32(index + 2)
            let activation = Self.start + Int64(index + 2) * 10 * Self.day + Self.day
            switch state {
            case .preActivation: break
            case .active: try ring.activate(number, at: activation, reason: "")
            case .deactivated: try ring.activate(number, at: activation, reason: "")
            case .compromised: try ring.move(number, to: .compromised, at: activation, reason: "")
            case .destroyed: try ring.move(number, to: .destroyed, at: activation, reason: "")
            }
        }
        return ring
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var isForced = false
        var period: Int64 = 90
        var delay: Int64 = 0
        /// Days after the newest generation was published.
        var day: Int64
        var isPending = false
        var stale: Int64 = 0
        let steps: String
    }

    static let rows: [Row] = [
        Row(testDescription: "nothing is due", day: 5, steps: ""),
        Row(testDescription: "a day before the end of the period", day: 90, steps: ""),
        Row(testDescription: "the period is over", day: 91, steps: "publish activate rewrap"),
        Row(testDescription: "long over", day: 4000, steps: "publish activate rewrap"),
        Row(testDescription: "a clock from before the activation", day: -500, steps: ""),
        Row(testDescription: "asked for", isForced: true, day: 5, steps: "publish activate rewrap"),
        Row(
            testDescription: "asked for with a wrong clock", isForced: true, day: -500, steps: "publish activate rewrap"
        ),
        Row(testDescription: "an older run was cut off", day: 5, stale: 10, steps: "rewrap"),
        Row(
            testDescription: "over, and nothing that could be moved", day: 91, stale: 0,
            steps: "publish activate rewrap"),
        Row(testDescription: "over, with a delay", delay: 2, day: 91, steps: "publish"),
        Row(testDescription: "over, with a delay and work", delay: 2, day: 91, stale: 1, steps: "publish rewrap"),
        Row(testDescription: "asked for, with a delay", isForced: true, delay: 2, day: 5, steps: "publish"),
        Row(testDescription: "one waits, too early", delay: 2, day: 1, isPending: true, steps: "wait"),
        Row(
            testDescription: "one waits, too early, with work", delay: 2, day: 1, isPending: true, stale: 1,
            steps: "wait rewrap"),
        Row(testDescription: "one waits, in time", delay: 2, day: 2, isPending: true, steps: "activate rewrap"),
        Row(testDescription: "one waits, late", delay: 2, day: 50, isPending: true, steps: "activate rewrap"),
        Row(
            testDescription: "one waits, asked for too early", isForced: true, delay: 2, day: 1, isPending: true,
            steps: "wait"),
        Row(testDescription: "one waits, no delay", day: 0, isPending: true, steps: "activate rewrap"),
        Row(
            testDescription: "one waits, no delay, a wrong clock", day: -500, isPending: true, steps: "activate rewrap"),
        Row(testDescription: "one waits, and the period is over", delay: 200, day: 100, isPending: true, steps: "wait"),
    ]

    @Test(arguments: rows)
    func decides(row: Row) throws {
        let ring = try ring(row.isPending ? [.active, .preActivation] : [.active])
        let published = try #require(ring.generations.last).created
        let policy = Policy(
            cryptoperiod: row.period * Self.day, propagationDelay: row.delay * Self.day, soakTime: 0, keepDeactivated: 2
        )
        let plan = RotationPlan(
            ring: ring, policy: policy, stale: row.stale,
            now: published + row.day * Self.day, isForced: row.isForced)
        #expect(names(plan) == row.steps)
        #expect(plan.isEmpty == row.steps.isEmpty)
        #expect(plan.lines.count == plan.steps.count)
    }

    /// A compromise leaves nothing active: a new one is due at once, whatever the clock says.
    @Test func afterACompromise() throws {
        var ring = try ring([.active])
        try ring.move(2, to: .compromised, at: Self.start, reason: "leaked")
        let plan = RotationPlan(
            ring: ring, policy: .standard, stale: 0, now: Self.start, isForced: false)
        #expect(names(plan) == "publish activate rewrap")
    }

    /// One that waits below the active one's number is no candidate: the fence only rises.
    @Test func anOlderOneThatWaits() throws {
        var ring = try ring([.preActivation, .active])
        #expect(ring.pending?.number == 2 && ring.active?.number == 3)
        let now = try #require(ring.active?.since(.active))
        func plan() -> RotationPlan {
            RotationPlan(ring: ring, policy: .standard, stale: 0, now: now, isForced: false)
        }
        #expect(plan().isEmpty)
        // Nor once the newer one is active no longer.
        try ring.move(3, to: .compromised, at: now, reason: "leaked")
        #expect(names(plan()) == "publish activate rewrap")
    }

    @Test func waitingSaysUntilWhen() throws {
        let ring = try ring([.active, .preActivation])
        let pending = try #require(ring.pending)
        let policy = Policy(cryptoperiod: Self.day, propagationDelay: 3600, soakTime: 0, keepDeactivated: 0)
        let plan = RotationPlan(
            ring: ring, policy: policy, stale: 0, now: pending.created + 3599, isForced: false)
        #expect(plan.steps == [.wait(generation: pending.number, until: pending.created + 3600)])
        #expect(plan.lines[0].contains("\(pending.created + 3600)"))
    }

    private func names(_ plan: RotationPlan) -> String {
        plan.steps.map { step in
            switch step {
            case .publish: "publish"
            case .activate: "activate"
            case .wait: "wait"
            case .rewrap: "rewrap"
            case .archive: "archive"
            case .retire: "retire"
            case .rehearse: "rehearse"
            }
        }.joined(separator: " ")
    }
}
