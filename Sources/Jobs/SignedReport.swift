import Archives
import Cryptography
import Custody
import Evidence
import Files
import FoundationEssentials
public import Home
import KeyManagement

/// What a job did, with its evidence, signed so that it can be checked without keyroll.
public struct SignedReport: Sendable {
    /// The JSON that is signed.
    public let content: [UInt8]
    /// CMS SignedData over it, with it inside, PEM.
    public let message: [UInt8]

    private struct Document: Encodable {
        var group: String
        var groupIdentity: String
        var job: String
        var records: [EvidenceRecord]
        var chainLength: Int
        var chainHead: String
        var signed: String
    }

    /// - Parameters:
    ///   - job: the job's identity.
    ///   - home: the home.
    /// - Throws: ``CustodyError`` with `missing`, `EvidenceChain.Broken`.
    public init(_ job: String, _ home: Home) throws {
        let (records, head) = try home.evidence()
        let own = Self.related(to: job, in: records)
        guard !own.isEmpty else {
            throw CustodyError(.missing, "no job '\(job)' is in the evidence; see: keyroll report")
        }
        let ring = home.keeper.keyring.ring
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        content =
            Array(
                try encoder.encode(
                    Document(
                        group: ring.name, groupIdentity: ring.group.description, job: job, records: own,
                        chainLength: records.count, chainHead: head, signed: Timestamp.now.description))) + [10]
        let signer = try home.keeper.signer()
        message = PEMText.encode(
            try SignedMessage.sign(content, by: signer.certificate, signer.key, isDetached: false), label: "CMS")
    }

    /// The records of a job, those included that carry its run further.
    private static func related(to job: String, in records: [EvidenceRecord]) -> [EvidenceRecord] {
        let names = Set(records.filter { $0.belongs(to: job) }.map(\.job)).union([job])
        return records.filter { names.contains($0.job) }
    }

    /// One JSON object: the signed content in clear, and the signed message.
    public func json() throws -> [UInt8] {
        // The content without its last line's end.
        let text = String(decoding: content.last == 10 ? content.dropLast() : content[...], as: UTF8.self)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        let message = String(decoding: try encoder.encode(String(decoding: message, as: UTF8.self)), as: UTF8.self)
        return Array("{\"report\": \(text),\n\"cms\": \(message)}\n".utf8)
    }

    /// The jobs in the evidence, the newest last, with the kinds of their records.
    public static func jobs(_ home: Home) throws -> [(job: String, kinds: [String])] {
        var jobs: [(job: String, kinds: [String])] = []
        for record in try home.evidence().records {
            if let index = jobs.lastIndex(where: { $0.job == record.job }) {
                jobs[index].kinds.append(record.kind)
            } else {
                jobs.append((record.job, [record.kind]))
            }
        }
        return jobs
    }
}
