public import Files
import FoundationEssentials
public import Home
import Jobs
import KeyManagement
import SecretStores

/// The census by generation, what is due, and what needs somebody's attention.
public struct Status: Sendable {
    /// One generation's line.
    public struct Line: Sendable, Equatable {
        /// Its number.
        public var number: UInt32
        /// Its state's name.
        public var state: String
        /// Whether its material is in bundles only.
        public var archived: Bool
        /// The secrets it protects.
        public var secrets: Int64
        /// When it was published.
        public var created: Timestamp
        /// When it became active.
        public var activated: Timestamp?
        /// When it was deactivated.
        public var deactivated: Timestamp?
        /// Those of its secrets that runs could not move.
        public var quarantined: Int64
        /// Secrets in registered copies that still need it.
        public var inCopies: Int64
        /// When its bundle was last proven restorable.
        public var provenRestorable: Timestamp?
        /// Until when it is on line again, where it was restored.
        public var restoredUntil: Timestamp?
        /// From when on its destruction, which was asked for, may be final.
        public var destructionDue: Timestamp?
        /// The states it went through, with when each began.
        public var states: [Period]
    }

    /// From when on a generation was in a state.
    public struct Period: Sendable, Equatable {
        /// The state's name, or `archived`, which is a flag beside it.
        public var state: String
        /// Since when.
        public var since: Timestamp
    }

    /// The group's name.
    public var group: String
    /// Whether something that policy asks for is late.
    public var overdue: Bool
    /// All secrets.
    public var secrets: Int64
    /// The generations, in the order of their numbers.
    public var generations: [Line]
    /// The generation that protects; nil in a home that only reads.
    public var active: UInt32?
    /// Secrets that a rotation would move.
    public var remaining: Int64
    /// All stores of the configuration, by name.
    public var stores: [String]
    /// When the active generation's cryptoperiod ends.
    public var nextRoll: Timestamp?
    /// Secrets that runs could not move and nobody accepted.
    public var quarantined: Int
    /// Stores that cannot be reached, by name.
    public var unreachable: [String]
    /// What needs attention, a line each.
    public var attention: [String]
    /// What is good to know and needs nobody now, a line each.
    public var notes: [String]
    /// Jobs that workers share, and that are not over.
    public var fleet: [FleetStatus]
    /// The recovery recipients that proved that they can open a bundle.
    public var provenRecipients: [String]

    /// Reads counters only: as fast with ten million secrets as with ten.
    public init(_ home: Home, now: Timestamp = .now) throws {
        let ring = home.keeper.keyring.ring
        let census = try home.stores.map { try $0.census() }.reduce(Census(), +)
        group = ring.name
        secrets = census.total
        var quarantinedBy: [UInt32: Int64] = [:]
        for store in home.stores {
            for (number, count) in try store.quarantineByGeneration() {
                quarantinedBy[number, default: 0] += count.open + count.accepted
            }
        }
        generations = ring.generations.map { generation in
            Line(
                number: generation.number, state: generation.state.rawValue,
                archived: generation.isArchived && generation.state != .destroyed,
                secrets: census[generation.number], created: generation.created,
                activated: generation.since(.active), deactivated: generation.since(.deactivated),
                quarantined: quarantinedBy[generation.number, default: 0],
                inCopies: ring.copies(needing: generation.number, at: now).reduce(0) {
                    $0 + ($1.secrets?[generation.number] ?? 0)
                },
                provenRestorable: generation.escrow?.rehearsed,
                restoredUntil: generation.restoration.flatMap { $0.isOver(now: now) ? nil : $0.until },
                destructionDue: generation.state == .destroyed ? nil : generation.destruction?.due,
                states: Self.periods(generation))
        }
        active = ring.active?.number
        stores = home.configuration.stores.map(\.name)
        provenRecipients = ring.provenRecipients.map(\.name)
        let policy = home.configuration.policy
        nextRoll = ring.active?.since(.active).map { $0 + policy.cryptoperiod }
        quarantined = try home.stores.reduce(0) { try $0 + Int($1.openQuarantineCount()) }
        unreachable = home.unreachable.map(\.name)
        var attention = home.unreachable.map {
            "\($0.line); its secrets are not in these numbers, and nothing is retired meanwhile"
        }
        // A home made to read an old copy protects nothing and rolls nothing.
        let onlyReads = ring.active == nil && ring.generations.allSatisfy { $0.isArchived || $0.state == .destroyed }
        let reason = onlyReads ? nil : RotationPlan.reasonToRoll(ring, policy, now: now, isForced: false)
        if let reason { attention.append("a new generation is due: \(reason); run: keyroll rotate") }
        // Those on the quarantine's list are named there, and those of archived generations below.
        let stale = try home.stores.reduce(0) { try $0 + home.movable($1) }
        remaining = onlyReads ? 0 : stale
        if stale > 0, !onlyReads {
            attention.append("\(stale) secrets are under older generations; run: keyroll rotate")
        }
        if quarantined > 0 { attention.append("\(quarantined) secrets are quarantined; see: keyroll quarantine list") }
        for (number, count) in census.counts.sorted(by: { $0.key < $1.key }) where ring.generation(number) == nil {
            attention.append("\(count) secrets name generation \(number), which the ring does not have")
        }
        if policy != ring.policy {
            attention.append("keyroll.yaml has another policy than the ring; keyroll rotate takes it over")
        }
        attention += home.keeper.repaired
        let custody = try CustodyStatus(home, now: now)
        attention += custody.attention
        fleet = try FleetStatus.open(home)
        overdue = reason != nil || (stale > 0 && !onlyReads) || custody.isOverdue
        self.attention = attention
        notes = custody.notes + (onlyReads ? ["this home only reads; it has no active generation"] : [])
    }

    /// A generation's states, and when it was taken off line.
    private static func periods(_ generation: Generation) -> [Period] {
        var periods = generation.history.map { Period(state: $0.state.rawValue, since: $0.at) }
        if let archived = generation.archived, generation.isArchived, generation.state != .destroyed {
            periods.append(Period(state: "archived", since: archived.at))
        }
        return periods
    }

    /// One JSON object (RFC 8259), its names sorted.
    public func json() throws -> [UInt8] {
        struct Generation: Encodable {
            var number: UInt32
            var state: String
            var archived: Bool
            var secrets: Int64
            var created: String
            var activated: String?
            var deactivated: String?
            var quarantined: Int64
            var inCopies: Int64
            var provenRestorable: String?
            var restoredUntil: String?
            var destructionDue: String?
        }
        struct Document: Encodable {
            var group: String
            var overdue: Bool
            var secrets: Int64
            var active: UInt32?
            var remaining: Int64
            var generations: [Generation]
            var nextRoll: String?
            var quarantined: Int
            var unreachable: [String]
            var attention: [String]
            var notes: [String]
            var provenRecipients: [String]
            var fleet: [FleetStatus]
        }
        let document = Document(
            group: group, overdue: overdue, secrets: secrets, active: active, remaining: remaining,
            generations: generations.map {
                Generation(
                    number: $0.number, state: $0.state, archived: $0.archived, secrets: $0.secrets,
                    created: $0.created.description, activated: $0.activated?.description,
                    deactivated: $0.deactivated?.description, quarantined: $0.quarantined, inCopies: $0.inCopies,
                    provenRestorable: $0.provenRestorable?.description, restoredUntil: $0.restoredUntil?.description,
                    destructionDue: $0.destructionDue?.description)
            }, nextRoll: nextRoll?.description, quarantined: quarantined, unreachable: unreachable,
            attention: attention, notes: notes, provenRecipients: provenRecipients, fleet: fleet)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document)) + [10]
    }

    /// The same as a table for people.
    public var text: String {
        var lines = ["group \(group): \(secrets) secrets, \(overdue ? "OVERDUE" : "nothing overdue")"]
        lines.append(
            Self.row(["generation", "state", "secrets", "quarantined", "in copies", "activated", "proven restorable"]))
        for line in generations {
            lines.append(
                Self.row([
                    "\(line.number)", line.state + (line.archived ? ", archived" : ""), "\(line.secrets)",
                    "\(line.quarantined)", "\(line.inCopies)", line.activated?.description ?? "-",
                    line.provenRestorable?.description ?? "-",
                ]))
            if let until = line.restoredUntil { lines.append("            restored, only unprotects, until \(until)") }
            if let due = line.destructionDue { lines.append("            its destruction may be final from \(due) on") }
        }
        if let nextRoll { lines.append("next roll due: \(nextRoll)") }
        lines += fleet.flatMap(\.lines)
        lines += attention.map { "attention: \($0)" } + notes.map { "note: \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ cells: [String]) -> String {
        let text = zip(cells, [10, 21, 10, 11, 9, 20, 20]).map(padded).joined(separator: "  ")
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
