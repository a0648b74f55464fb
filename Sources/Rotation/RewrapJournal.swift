public import Cryptography
import Envelopes
public import Files
public import SecretStores

/// How far a run has come in one store, and what it did so far: written in each batch's own transaction.
///
/// The records are the truth, the journal only saves time. It carries a MAC under a key that is derived from the root
/// key, so that a forged one cannot make a run skip secrets.
public struct RewrapJournal: Sendable, Equatable {
    /// What kind of run writes it.
    public enum Kind: String, Sendable {
        /// Data keys move to another generation.
        case rewrap
        /// Contents are encrypted anew.
        case reencrypt
    }

    /// What kind of run it is.
    public var kind: Kind
    /// The generations whose exposed contents are encrypted anew; empty for a rewrap.
    public var compromised: [UInt32]
    /// The run's identity.
    public var job: String
    /// The ring's group.
    public var group: Identity
    /// The generation that slots move to.
    public var target: GenerationMark
    /// The page up to which everything was handled.
    public var cursor: Int64
    /// What became of the secrets so far, in all attempts.
    public var tally: RunTally
    /// When the run first began.
    public var started: Timestamp
    /// How often it was taken up again.
    public var resumed: Int
    /// The range of a fleet's job that it is about; 0 for the whole store.
    public var range: Int64 = 0

    /// A new journal, or nil fields from a stored one.
    public init(
        job: String, group: Identity, target: GenerationMark, started: Timestamp, kind: Kind = .rewrap,
        compromised: [UInt32] = []
    ) {
        self.kind = kind
        self.compromised = compromised
        self.job = job
        self.group = group
        self.target = target
        self.started = started
        cursor = 0
        tally = RunTally()
        resumed = 0
    }

    /// The record that a store keeps.
    public func record(_ authenticator: Authenticator, isFinished: Bool) throws -> JournalRecord {
        let content = CBORValue.map([
            "version": .unsigned(1),
            "kind": .text(kind.rawValue),
            "compromised": .array(compromised.map { .unsigned(UInt64($0)) }),
            "job": .text(job),
            "group": .bytes(group.bytes),
            "target": .unsigned(UInt64(target.number)),
            "targetIdentity": .bytes(target.identity.bytes),
            "targetCheck": .bytes(target.checkValue),
            "cursor": .unsigned(UInt64(cursor)),
            "started": .unsigned(UInt64(max(0, started.rawValue))),
            "resumed": .unsigned(UInt64(resumed)),
            "range": .unsigned(UInt64(range)),
            "finished": .bool(isFinished),
            "scanned": .unsigned(UInt64(tally.scanned)),
            "moved": .unsigned(UInt64(tally.moved)),
            "current": .unsigned(UInt64(tally.current)),
            "superseded": .unsigned(UInt64(tally.superseded)),
            "failed": .array(FailureReason.allCases.map { .unsigned(UInt64(tally.failed[$0])) }),
        ]).encoded()
        let mac = try content.withUnsafeBytes { try authenticator.tag($0) }
        return JournalRecord(job: job, content: content, mac: mac, isFinished: isFinished)
    }

    /// Reads a stored record back.
    ///
    /// - Returns: nil for one that was forged, altered, or is of another kind or version.
    public init?(_ record: JournalRecord, _ authenticator: Authenticator) throws {
        guard try record.content.withUnsafeBytes({ try authenticator.accepts(record.mac, for: $0) }),
            let pairs = (try? CBORValue(decoding: record.content))?.pairs, pairs["version"]?.number == 1,
            let kind = pairs["kind"]?.string.flatMap(Kind.init(rawValue:)),
            let compromised = pairs["compromised"]?.items?.compactMap({ $0.number.flatMap(UInt32.init(exactly:)) }),
            pairs["finished"]?.truth == record.isFinished,
            let job = pairs["job"]?.string, job == record.job,
            let group = pairs["group"]?.byteString.flatMap({ Identity($0) }),
            let number = pairs["target"]?.number.flatMap(UInt32.init(exactly:)),
            let identity = pairs["targetIdentity"]?.byteString.flatMap({ Identity($0) }),
            let check = pairs["targetCheck"]?.byteString,
            let cursor = pairs["cursor"]?.number.flatMap(Int64.init(exactly:)),
            let started = pairs["started"]?.number.flatMap(Int64.init(exactly:)),
            let range = (pairs["range"] ?? .unsigned(0)).number.flatMap(Int64.init(exactly:)),
            let failed = pairs["failed"]?.items, failed.count == FailureReason.allCases.count
        else { return nil }
        func count(_ key: String) -> Int { Int(clamping: pairs[key]?.number ?? 0) }
        self.init(
            job: job, group: group,
            target: GenerationMark(number: number, identity: identity, checkValue: check),
            started: Timestamp(rawValue: started), kind: kind, compromised: compromised)
        self.cursor = cursor
        self.range = range
        resumed = count("resumed")
        tally.scanned = count("scanned")
        tally.moved = count("moved")
        tally.current = count("current")
        tally.superseded = count("superseded")
        for (reason, value) in zip(FailureReason.allCases, failed) {
            tally.failed[reason] = Int(clamping: value.number ?? 0)
        }
    }
}
