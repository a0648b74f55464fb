public import Files
public import KeyManagement

/// Whether a generation may go off line: decided from what was found, without looking at anything itself.
public struct RetireGate: Sendable, Equatable {
    /// What was found about one generation.
    public struct Facts: Sendable, Equatable {
        /// Stores whose fence stands below the active generation, or that could not be reached.
        public var unfenced: [String] = []
        /// Live secrets under it, by the full scan before the barrier; accepted losses not counted.
        public var liveBefore: Int64 = 0
        /// The same by a second scan on new connections, after the barrier.
        public var liveAfter: Int64 = 0
        /// Secrets that runs could not move, that nobody accepted as lost, and that could be its.
        public var quarantined: Int64 = 0
        /// Why its bundle does not count, nil where it was reopened from the disk and verified.
        public var bundleFault: String?

        /// Nothing stands in the way.
        public init() {}
    }

    /// What stands in the way.
    public enum Obstacle: Sendable, Equatable {
        /// It is in another state than deactivated or compromised, or archived already.
        case state(String)
        /// A store has not its fence where it has to be.
        case unfenced(String)
        /// Something live still needs it.
        case live(Int64)
        /// A quarantined secret could be its.
        case quarantined(Int64)
        /// No bundle that counts.
        case bundle(String)
        /// Nobody proved that he can open its bundle.
        case noProvenRecipient
        /// Its soak time is not over.
        case soaking(until: Timestamp?)
        /// Policy keeps so many deactivated generations on line.
        case keptByPolicy(Int)

        /// Whether a reason can override it: what only costs comfort, never what could lose a secret.
        public var canBeOverridden: Bool {
            switch self {
            case .soaking, .keptByPolicy, .quarantined: true
            default: false
            }
        }

        /// Whether its bundle is what is missing.
        public var isBundleFault: Bool { if case .bundle = self { true } else { false } }
    }

    /// All of them.
    public var obstacles: [Obstacle]

    /// - Parameters:
    ///   - number: the generation.
    ///   - ring: its ring.
    ///   - facts: what was found.
    ///   - now: this machine's clock.
    public init(_ number: UInt32, _ ring: Ring, _ facts: Facts, now: Timestamp) {
        obstacles = []
        guard let generation = ring.generation(number), !generation.isArchived,
            generation.state == .deactivated || generation.state == .compromised
        else {
            let generation = ring.generation(number)
            obstacles = [.state(generation.map { $0.isArchived ? "archived" : $0.state.rawValue } ?? "absent")]
            return
        }
        obstacles += facts.unfenced.map { .unfenced($0) }
        let live = max(facts.liveBefore, facts.liveAfter)
        if live > 0 { obstacles.append(.live(live)) }
        if facts.quarantined > 0 { obstacles.append(.quarantined(facts.quarantined)) }
        if let fault = facts.bundleFault { obstacles.append(.bundle(fault)) }
        if ring.provenRecipients(of: generation).isEmpty { obstacles.append(.noProvenRecipient) }
        obstacles += Self.waiting(generation, ring, ring.policy, now: now)
    }

    /// What only time and policy hold back.
    private static func waiting(
        _ generation: Generation, _ ring: Ring, _ policy: Policy, now: Timestamp
    ) -> [Obstacle] {
        var obstacles: [Obstacle] = []
        if policy.soakTime > 0 {
            let over = generation.emptySince.map { $0 + policy.soakTime }
            if over.map({ $0 > now }) ?? true { obstacles.append(.soaking(until: over)) }
        }
        let newest = ring.generations.filter { $0.state == .deactivated && !$0.isArchived }.suffix(
            policy.keepDeactivated)
        if newest.contains(where: { $0.number == generation.number }) {
            obstacles.append(.keptByPolicy(policy.keepDeactivated))
        }
        return obstacles
    }

    /// The generations that counters and policy would let go, so that the full scan is worth its time.
    ///
    /// - Parameters:
    ///   - ring: the ring.
    ///   - policy: the policy that holds now.
    ///   - live: live secrets of a generation by the counters, accepted losses not counted.
    ///   - now: this machine's clock.
    public static func due(
        _ ring: Ring, _ policy: Policy, live: (UInt32) -> Int64, now: Timestamp
    ) -> [UInt32] {
        ring.generations.filter { generation in
            (generation.state == .deactivated || generation.state == .compromised) && !generation.isArchived
                && live(generation.number) <= 0 && waiting(generation, ring, policy, now: now).isEmpty
        }.map(\.number)
    }
}

extension RetireGate.Obstacle: CustomStringConvertible {
    /// A few lower-case words.
    public var description: String {
        switch self {
        case .state(let state): "it is \(state)"
        case .unfenced(let place): "\(place) has not its fence at the active generation"
        case .live(let count): "\(count) live secrets need it; run: keyroll rotate"
        case .quarantined(let count): "\(count) quarantined secrets could be its; see: keyroll quarantine list"
        case .bundle(let fault): "its bundle does not count: \(fault)"
        case .noProvenRecipient:
            "no recovery recipient has proven that it can open its bundle; see: keyroll archive recipient list"
        case .soaking(let until):
            until.map { "its soak time ends at \($0)" } ?? "its soak time has not begun; run: keyroll rotate"
        case .keptByPolicy(let count): "policy keeps \(count) deactivated generations on line"
        }
    }
}
