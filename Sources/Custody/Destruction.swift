import Archives
import Evidence
import Files
import Glibc
public import Home
import KeyManagement
import SecretStores

/// Destroys a generation: asked for, waiting and recoverable, then final.
public struct GenerationDestruction {
    private let home: Home
    private let evidence: EvidenceChain
    private let job: String

    /// - Parameters:
    ///   - home: the home; the caller holds its run lock.
    ///   - job: the job's identity, for the evidence.
    public init(_ home: Home, job: String) {
        self.home = home
        self.job = job
        evidence = EvidenceChain(path: home.layout.evidence)
    }

    /// Asks for it: from now on nothing opens with it, and until retention is over that can be taken back.
    public func request(_ number: UInt32, reason: String) throws {
        try refuseNeeded(number)
        let now = Timestamp.now
        let due = now + home.configuration.policy.destroyRetention
        try home.keeper.update { try $0.requestDestruction(number, at: now, due: due, reason: reason) }
        try evidence.append(
            "destruction", job: job,
            [
                "generation": .number(Int64(number)), "final": .flag(false), "due": .text(due.description),
                "reason": .text(reason),
            ])
    }

    /// Takes it back.
    public func cancel(_ number: UInt32) throws {
        try home.keeper.update { try $0.cancelDestruction(number) }
        try evidence.append("destruction", job: job, ["generation": .number(Int64(number)), "cancelled": .flag(true)])
    }

    /// Makes it final: the key is gone from the ring, and its bundle from the folder.
    ///
    /// - Throws: ``CustodyError`` with `refused`, naming what still needs it.
    public func finish(_ number: UInt32) throws {
        let ring = home.keeper.keyring.ring
        guard let generation = ring.generation(number) else {
            throw KeyManagementError(
                .noSuchGeneration, "group \(ring.name) has no generation \(number); see: keyroll generation list")
        }
        if generation.state != .destroyed {
            guard let destruction = generation.destruction else {
                throw CustodyError(
                    .refused,
                    "the destruction of generation \(number) was not asked for; run: keyroll generation destroy \(number)"
                )
            }
            guard destruction.isDue() else {
                throw CustodyError(
                    .refused,
                    "generation \(number) can be recovered until \(destruction.due); its destruction is not final before"
                )
            }
            try refuseNeeded(number)
            try evidence.append(
                "destruction", job: job,
                ["generation": .number(Int64(number)), "decision": .text("final"), "stillOpens": .list(copies(number))])
            try home.keeper.update { ring in
                // Whoever comes in between without the run lock: a copy that was registered meanwhile.
                guard ring.generation(number)?.destruction?.isDue() == true,
                    ring.copies(needing: number, at: .now).isEmpty
                else {
                    throw CustodyError(.refused, "something changed about generation \(number) meanwhile; run it again")
                }
                try ring.move(number, to: .destroyed, at: .now, reason: destruction.reason)
            }
        }
        try home.removeDrafts()
        // Also after a crash between the two: the ring says that it is gone, and so it has to be.
        for path in home.bundles(of: generation) {
            guard unlink(path) == 0 else { throw FileError.current(path, "cannot remove the bundle") }
            try PrivateFile.syncDirectory(of: path)
        }
    }

    /// Every copy of the key that keyroll knows of, and what opens it; a line each.
    public func copies(_ number: UInt32) -> [String] {
        let ring = home.keeper.keyring.ring
        var lines: [String] = []
        if let generation = ring.generation(number) {
            let paths = home.bundles(of: generation)
            let names = ring.recipients.filter { generation.escrow?.recipients.contains($0.fingerprint) == true }
            lines += paths.map { "bundle \($0): opens with \(names.map(\.name).joined(separator: ", "))" }
        }
        for copy in ring.copies {
            let until = copy.keepUntil.map { "kept until \($0)" } ?? "kept for ever"
            let place = "\(copy.kind) copy \(copy.identity) at \(copy.place), \(until)"
            if copy.keys.contains(number) {
                lines.append(
                    "\(place): opens with \(copy.hasRootKey ? "the root key that lies in it" : "the root key of \(copy.at)")"
                )
            }
            if copy.bundles.contains(number) {
                lines.append("\(place): has its bundle, which the recipients of then open")
            }
        }
        // Key stores that were put aside may have it, sealed.
        for name in FolderListing.names(home.layout.path)
        where name.hasPrefix("keys") && !name.hasSuffix(".lock")
            && [".damaged-", ".lost-", ".format-"].contains(where: name.contains)
        {
            lines.append("\(home.layout.path)/\(name) may hold it: opens with the root key of then; remove it")
        }
        return lines
    }

    /// Nothing that is kept may still need it.
    private func refuseNeeded(_ number: UInt32) throws {
        guard home.mayRetire else {
            throw CustodyError(
                .refused,
                "this home has not the evidence that the ring speaks of: another host runs this group's jobs and knows its stores; destroy there"
            )
        }
        let ring = home.keeper.keyring.ring
        try home.requireAllStores("generation \(number) may be needed there")
        let live = try home.stores.reduce(0) { try $0 + $1.recount()[number] }
        guard live == 0 else {
            throw CustodyError(
                .refused, "\(live) secrets are under generation \(number); they would be lost; run: keyroll rotate")
        }
        let open = try home.stores.reduce(0) { try $0 + Int($1.openQuarantineCount()) }
        guard open == 0 else {
            throw CustodyError(
                .refused, "\(open) secrets are quarantined; resolve them first; see: keyroll quarantine list")
        }
        let needing = ring.copies(needing: number, at: .now)
        guard needing.isEmpty else {
            let names = needing.prefix(3).map { "\($0.place) (\($0.identity))" }.joined(separator: ", ")
            throw CustodyError(
                .refused,
                "\(needing.count) registered copies still need generation \(number): \(names); see: keyroll backup list"
            )
        }
    }
}
