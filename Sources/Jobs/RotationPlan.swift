public import Files
public import KeyManagement

/// What a scheduled rotation is going to do: decided from values alone, before anything is done.
public struct RotationPlan: Sendable, Equatable {
    /// One step.
    public enum Step: Sendable, Equatable {
        /// Write bundles that are missing, or that a recipient of today cannot open.
        case archive([UInt32])
        /// Make a new generation, read it back, probe it, and escrow it in a verified bundle.
        case publish(reason: String)
        /// Make the newest published generation the active one; the one before is deactivated.
        case activate(reason: String)
        /// A published generation is not yet known to every reader: a later run takes it up.
        case wait(generation: UInt32, until: Timestamp)
        /// Rewrap what older generations protect.
        case rewrap
        /// Take off line what nothing needs any more, if the retire gate lets it through.
        case retire([UInt32])
        /// Prove that bundles can be restored.
        case rehearse([UInt32])
    }

    /// In the order they are done.
    public var steps: [Step]

    /// Nothing is due.
    public var isEmpty: Bool { steps.isEmpty }

    /// Decides.
    ///
    /// - Parameters:
    ///   - ring: the ring.
    ///   - policy: the policy that holds now.
    ///   - stale: secrets that older generations protect and that a rewrap could move.
    ///   - retirable: generations that counters and policy let go.
    ///   - rehearsals: generations whose last proof is too old.
    ///   - now: this machine's clock.
    ///   - isForced: roll although nothing is due.
    public init(
        ring: Ring, policy: Policy, stale: Int64, retirable: [UInt32] = [],
        rehearsals: [UInt32] = [], now: Timestamp, isForced: Bool
    ) {
        var steps: [Step] = []
        let unarchived = Self.unarchived(ring)
        if !unarchived.isEmpty { steps.append(.archive(unarchived)) }
        var rolls = false
        if let pending = ring.candidate {
            let ready = pending.created + policy.propagationDelay
            if ready <= now || policy.propagationDelay == 0 {
                steps.append(.activate(reason: "its propagation delay is over"))
                rolls = true
            } else {
                steps.append(.wait(generation: pending.number, until: ready))
            }
        } else if let reason = Self.reasonToRoll(ring, policy, now: now, isForced: isForced) {
            steps.append(.publish(reason: reason))
            if policy.propagationDelay == 0 {
                steps.append(.activate(reason: reason))
                rolls = true
            }
        }
        if rolls || stale > 0 { steps.append(.rewrap) }
        if !retirable.isEmpty { steps.append(.retire(retirable)) }
        if !rehearsals.isEmpty { steps.append(.rehearse(rehearsals)) }
        self.steps = steps
    }

    /// Generations in no bundle, or in one that a recipient of today cannot open.
    public static func unarchived(_ ring: Ring) -> [UInt32] {
        let recipients = Set(ring.recipients.map(\.fingerprint))
        return ring.generations.filter { generation in
            guard generation.state != .destroyed, generation.destruction == nil else { return false }
            // Without a key on line and without a bundle there is nothing to write one from.
            guard let escrow = generation.escrow else { return generation.sealed != nil }
            return escrow.replacement != nil || !recipients.isSubset(of: escrow.recipients)
        }.map(\.number)
    }

    /// Why a new generation is due, or nil.
    ///
    /// A clock that stands before the activation tells nothing, and nothing is due.
    public static func reasonToRoll(_ ring: Ring, _ policy: Policy, now: Timestamp, isForced: Bool) -> String? {
        guard let active = ring.active, let since = active.since(.active) else { return "no generation is active" }
        if isForced { return "asked for" }
        return now >= since + policy.cryptoperiod ? "the cryptoperiod is over" : nil
    }

    /// A line for each step.
    public var lines: [String] {
        steps.map { step in
            switch step {
            case .archive(let numbers):
                "write the bundles of generation \(Self.list(numbers)) for the recipients of today"
            case .publish(let reason): "make a new generation and escrow it in a verified bundle (\(reason))"
            case .activate(let reason): "activate it and deactivate the one before (\(reason))"
            case .wait(let number, let until): "wait with generation \(number) until \(until): it is being propagated"
            case .rewrap: "rewrap what older generations protect"
            case .retire(let numbers): "retire generation \(Self.list(numbers)), if the gate lets it through"
            case .rehearse(let numbers): "rehearse the restoration of generation \(Self.list(numbers))"
            }
        }
    }

    private static func list(_ numbers: [UInt32]) -> String { numbers.map(String.init).joined(separator: ", ") }
}
