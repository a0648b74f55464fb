import Custody
import Evidence
import Files
import Home
import Jobs
import KeyManagement

/// What status says of bundles, recipients and generations that come and go.
struct CustodyStatus {
    private(set) var attention: [String] = []
    private(set) var notes: [String] = []
    private(set) var isOverdue = false

    init(_ home: Home, now: Timestamp) throws {
        let ring = home.keeper.keyring.ring
        let policy = home.configuration.policy
        let unarchived = RotationPlan.unarchived(ring)
        if !unarchived.isEmpty {
            attention.append(
                "generation \(Self.list(unarchived)) is in no bundle that every recipient of today can open; run: keyroll rotate"
            )
        }
        for generation in ring.generations where generation.state != .destroyed {
            guard let escrow = generation.escrow, !PrivateFile.exists(home.bundlesPath + "/" + escrow.file) else {
                continue
            }
            attention.append(
                "the bundle \(home.bundlesPath)/\(escrow.file) of generation \(generation.number) is gone; "
                    + (generation.isArchived
                        ? "put its copy back: nothing else holds that key"
                        : "run: keyroll archive create \(generation.number)"))
        }
        if let head = try? EvidenceChain(path: home.layout.evidence).head(), head.count < ring.evidence.count {
            attention.append("the evidence was cut off: it had \(ring.evidence.count) records; run: keyroll doctor")
        }
        if let candidate = ring.candidate, let reason = candidate.history.first?.reason, reason.hasSuffix("compromised")
        {
            attention.append("a re-encryption was cut off at its beginning (\(reason)); run it again")
        }
        for number in ring.exposed {
            isOverdue = true
            attention.append(
                "generation \(number) is compromised, and not all that it may have exposed was encrypted anew; run: keyroll reencrypt --compromised \(number)"
            )
        }
        var archived: [UInt32: Int64] = [:]
        for store in home.stores { archived.merge(try home.archived(store), uniquingKeysWith: +) }
        for (number, count) in archived.sorted(by: { $0.key < $1.key }) {
            attention.append(
                "\(count) secrets are under generation \(number), which is archived; run: keyroll archive restore --generation \(number)"
            )
        }
        let rehearsals = Rehearsal.due(ring, policy, now: now)
        if !rehearsals.isEmpty {
            isOverdue = true
            attention.append(
                "generation \(Self.list(rehearsals)) was not proven restorable for too long; run: keyroll archive rehearse"
            )
        }
        if ring.provenRecipients.isEmpty {
            let waiting = try Retirement(home, job: "status").due(at: now)
            let line = "no recovery recipient has proven that it can open a bundle, so that nothing is retired"
            if waiting.isEmpty {
                notes.append(line + "; see: keyroll archive recipient add --help")
            } else {
                attention.append(
                    "\(line), and generation \(Self.list(waiting)) could be; see: keyroll archive recipient add --help")
            }
        }
        for generation in ring.generations {
            guard let destruction = generation.destruction, generation.state != .destroyed, destruction.due <= now
            else {
                continue
            }
            notes.append(
                "the destruction of generation \(generation.number) may be final now; run: keyroll generation destroy \(generation.number) --confirm \(generation.number)"
            )
        }
    }

    private static func list(_ numbers: [UInt32]) -> String { numbers.map(String.init).joined(separator: ", ") }
}
