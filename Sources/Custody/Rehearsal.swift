import Archives
public import Cryptography
import Evidence
public import Files
public import Home
public import KeyManagement
import Protection
import SecretStores

/// Proves that bundles can be restored: opens each into a scratch ring, and unprotects with nothing but that.
public struct Rehearsal {
    /// What one generation's rehearsal found.
    public struct Finding: Sendable {
        /// The generation.
        public var number: UInt32
        /// Secrets made for it that opened.
        public var samples: Int
        /// Live secrets of the stores that opened.
        public var live: Int
        /// Why it failed, or nil.
        public var fault: String?
    }

    private let home: Home
    private let evidence: EvidenceChain
    private let job: String
    /// Batches of contents that are looked at in each store for secrets of the generation.
    private static let batches = 4
    private static let secretsAtMost = 64

    /// - Parameters:
    ///   - home: the home.
    ///   - job: the job's identity, for the evidence.
    public init(_ home: Home, job: String) {
        self.home = home
        self.job = job
        evidence = EvidenceChain(path: home.layout.evidence)
    }

    /// The generations whose last proof is older than policy allows.
    public static func due(_ ring: Ring, _ policy: Policy, now: Timestamp) -> [UInt32] {
        ring.generations.filter { generation in
            guard let escrow = generation.escrow, generation.state != .destroyed else { return false }
            return (escrow.rehearsed ?? escrow.written) + policy.rehearsalPeriod <= now
        }.map(\.number)
    }

    /// Rehearses some generations.
    ///
    /// - Parameters:
    ///   - numbers: which.
    ///   - opener: a recovery key, or nil for the archive key.
    /// - Returns: what was found for each; a fault does not stop the others.
    public func run(_ numbers: [UInt32], with opener: RecipientEnvelope.Opener?) throws -> [Finding] {
        let findings = try numbers.map { number in
            do { return try rehearse(number, opener) } catch let error as ArchiveError {
                return Finding(number: number, samples: 0, live: 0, fault: "\(error)")
            } catch let error as FileError {
                return Finding(number: number, samples: 0, live: 0, fault: "\(error)")
            }
        }
        let proven = findings.filter { $0.fault == nil }.map(\.number)
        if !proven.isEmpty {
            try home.keeper.update { ring in for number in proven { try ring.noteRehearsal(of: number, at: .now) } }
        }
        for finding in findings {
            try evidence.append(
                "rehearsal", job: job,
                [
                    "generation": .number(Int64(finding.number)), "samples": .number(Int64(finding.samples)),
                    "live": .number(Int64(finding.live)), "restorable": .flag(finding.fault == nil),
                    "fault": .text(finding.fault ?? ""),
                    "key": .text(opener == nil ? "archive key" : "recovery key"),
                ])
        }
        return findings
    }

    private func rehearse(_ number: UInt32, _ opener: RecipientEnvelope.Opener?) throws -> Finding {
        let bundle = try home.verifyBundle(number)
        let archiveKey = try home.keeper.archiveKey()
        // Opening tries the bundle's own samples as well.
        let material = try bundle.open(
            with: opener ?? .symmetricKey(archiveKey.key, identifier: archiveKey.identifier))
        let now = Timestamp.now
        let scratch = try RingKeeper.scratch(
            group: bundle.group,
            generations: [
                RebuiltGeneration(
                    number: number, identity: bundle.identity, checkValue: bundle.checkValue,
                    history: [.init(state: .deactivated, at: now, sequence: 1, reason: "rehearsal")],
                    key: material.key, escrow: nil)
            ])
        var live = 0
        for store in home.stores where try store.census()[number] > 0 {
            live += try Sampling.opened(
                store, number: number, keeper: scratch, batches: Self.batches, atMost: Self.secretsAtMost)
        }
        return Finding(number: number, samples: bundle.manifest.samples.count, live: live, fault: nil)
    }
}

/// Opens some secrets of a store with a ring that may have few of its generations.
enum Sampling {
    /// - Returns: how many secrets of the generation opened.
    /// - Throws: `ArchiveError` with `notRestorable` where there were some and none opened.
    static func opened(
        _ store: any SecretStore, number: UInt32, keeper: RingKeeper, batches: Int, atMost: Int
    ) throws -> Int {
        let reader = try store.contentReader()
        let opener = try ContentOpener(group: store.group, keys: KeySource(keeper))
        let batch = ContentBatch()
        var opened = 0
        var failed = 0
        for _ in 0..<batches {
            // A condition on the loop would go on counting, up to the largest number there is.
            guard opened < atMost else { break }
            batch.reset()
            guard try reader.read(into: batch, selecting: .all) else { break }
            try opener.open(batch) { index, _, _ in
                if Slot.generation(batch.base + batch.records[index].slot) == number { opened += 1 }
            }
            failed += batch.failures.filter { $0.generation == number && $0.index != nil }.count
        }
        guard opened > 0 || failed == 0 else {
            throw ArchiveError(
                .notRestorable,
                "\(store.place): none of \(failed) secrets of generation \(number) opens with the bundle's key")
        }
        return opened
    }
}
