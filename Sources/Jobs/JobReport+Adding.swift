import Home
import Rotation
import SecretStores

extension JobReport {
    /// Adds what a run did in one store of a home.
    mutating func add(_ outcome: RewrapRun.Outcome, _ store: any SecretStore, of home: Home) {
        let place = store.place
        job = outcome.job
        if !runs.contains(outcome.job) { runs.append(outcome.job) }
        if !outcome.wasInterrupted, let known = home.namedStores.first(where: { $0.store.place == place }) {
            endedIn.append(known.name)
        }
        tally = tally.adding(outcome.tally)
        handled += outcome.handled
        stages = stages.adding(outcome.stages)
        wasResumed = wasResumed || outcome.wasResumed
        wasInterrupted = wasInterrupted || outcome.wasInterrupted
        if outcome.correctedCensus {
            needsAttention = true
            notes.append(
                "\(place): the counters did not agree with the slots and were written anew: slots were altered from outside; run: keyroll verify"
            )
        }
        if outcome.ignoredJournal {
            notes.append(
                "\(place): the journal of an unfinished run is not authentic and was ignored; the run began anew")
        }
    }

    /// Names the stores that could not be reached; they need somebody.
    mutating func nameUnreachable(_ home: Home) {
        guard !home.unreachable.isEmpty else { return }
        needsAttention = true
        unreachable = home.unreachable.map(\.name)
        notes += home.unreachable.map {
            "\($0.line); what is to be done there is left to another run, and nothing is retired meanwhile"
        }
    }

    /// Names the failed secrets of a store, from the quarantine; those of earlier runs too, since they still need
    /// somebody.
    mutating func nameQuarantined(of store: any SecretStore) throws {
        let count = try store.openQuarantineCount()
        guard count > 0 else { return }
        faults += try store.quarantine(limit: VerifyRun.namedAtMost - faults.count).filter { $0.accepted == nil }.map {
            .init(name: $0.name, generation: $0.generation, reason: $0.reason)
        }
        notes.append("\(store.place): \(count) secrets are quarantined; see: keyroll quarantine list")
    }
}

extension Duration {
    /// Seconds with their fraction.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
