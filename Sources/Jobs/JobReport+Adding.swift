import Rotation
import SecretStores

extension JobReport {
    /// Adds what a run did in one store.
    mutating func add(_ outcome: RewrapRun.Outcome, place: String) {
        job = outcome.job
        tally = tally.adding(outcome.tally)
        handled += outcome.handled
        stages = stages.adding(outcome.stages)
        wasResumed = wasResumed || outcome.wasResumed
        wasInterrupted = wasInterrupted || outcome.wasInterrupted
        if outcome.ignoredJournal {
            notes.append(
                "\(place): the journal of an unfinished run is not authentic and was ignored; the run began anew")
        }
    }

    /// Names the failed secrets of a store, from the quarantine; those of earlier runs too, since they still need
    /// somebody.
    mutating func nameQuarantined(of store: any SecretStore) throws {
        let open = try store.quarantine().filter { $0.accepted == nil }
        faults += open.prefix(VerifyRun.namedAtMost - faults.count).map {
            .init(name: $0.name, generation: $0.generation, reason: $0.reason)
        }
        if !open.isEmpty {
            notes.append("\(store.place): \(open.count) secrets are quarantined; see: keyroll quarantine list")
        }
    }
}

extension Duration {
    /// Seconds with their fraction.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
