import Archives
import Cryptography
import Evidence
public import Home

/// Writes bundles for the recipients of today, and records what then lies on the disk.
public struct Archiving {
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

    /// Writes them together; where one of them cannot be written, one by one.
    ///
    /// - Returns: a line for each that could not be written; it is neither activated nor retired then.
    public func write(_ numbers: [UInt32]) throws -> [String] {
        var done = numbers
        var faults: [String] = []
        do { try home.escrow(numbers) } catch is ArchiveError {
            done = []
            for number in numbers {
                do {
                    try home.escrow(number)
                    done.append(number)
                } catch let error as ArchiveError { faults.append("generation \(number): \(error)") }
            }
        }
        try record(done)
        return faults
    }

    /// Records bundles, after they were verified as they lie on the disk.
    public func record(_ numbers: [UInt32]) throws {
        try evidence.append(
            numbers.map { ("archive", Self.facts(try home.verifyBundle($0))) }, job: job)
    }

    /// What the evidence says of a bundle.
    static func facts(_ bundle: Bundle) -> [String: EvidenceValue] {
        [
            "generation": .number(Int64(bundle.number)), "file": .text(bundle.place),
            "sha256": .text(hexadecimal(bundle.digest)), "verified": .flag(true),
            "recipients": .list(bundle.manifest.recipients.map(\.name)),
        ]
    }
}
