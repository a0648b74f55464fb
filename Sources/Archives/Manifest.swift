import Cryptography
public import Files
import FoundationEssentials
public import KeyManagement

/// What a bundle says of itself, signed: `manifest.json`.
public struct Manifest: Codable, Sendable, Equatable {
    /// The format's version.
    public static let format = 1
    /// The most bytes it may have.
    static let limit = 256 << 10

    /// The group.
    public struct Group: Codable, Sendable, Equatable {
        /// Its name.
        public var name: String
        /// Its identity, 32 hexadecimal digits.
        public var identity: String
    }

    /// The generation.
    public struct GenerationEntry: Codable, Sendable, Equatable {
        /// Its number.
        public var number: UInt32
        /// Its identity, 32 hexadecimal digits.
        public var identity: String
        /// What it does: `A256KW` (RFC 3394).
        public var algorithm: String
        /// Its key check value, 16 hexadecimal digits.
        public var checkValue: String
        /// The state when the bundle was written.
        public var state: String
        /// All states so far.
        public var history: [Step]
    }

    /// One change of state.
    public struct Step: Codable, Sendable, Equatable {
        /// The new state.
        public var state: String
        /// When, RFC 3339.
        public var at: String
        /// The ring's sequence number then.
        public var sequence: UInt64
        /// Why.
        public var reason: String
        /// For a compromise: when it happened.
        public var occurred: String?
    }

    /// What the generation still protected when it was retired.
    public struct Census: Codable, Sendable, Equatable {
        /// When it was counted, RFC 3339.
        public var at: String
        /// Live secrets, by two full scans.
        public var live: Int64
        /// Secrets that runs could not move.
        public var quarantined: Int64
        /// Secrets in registered copies.
        public var copies: Int64

        /// - Parameters:
        ///   - at: when it was counted.
        ///   - live: live secrets.
        ///   - quarantined: secrets that runs could not move.
        ///   - copies: secrets in registered copies.
        public init(at: Timestamp, live: Int64, quarantined: Int64, copies: Int64) {
            self.at = at.description
            self.live = live
            self.quarantined = quarantined
            self.copies = copies
        }
    }

    /// Somebody who can open it.
    public struct RecipientEntry: Codable, Sendable, Equatable {
        /// What the group calls it.
        public var name: String
        /// `certificate` or `archiveKey`.
        public var kind: String
        /// SHA-256 of the certificate, or the archive key's identifier, in hexadecimal digits.
        public var fingerprint: String
        /// The certificate's DER, base64: a ring that is built anew goes on with the same recipients.
        public var certificate: String?
    }

    /// The other member.
    public struct Member: Codable, Sendable, Equatable {
        /// Its name.
        public var name: String
        /// Its length.
        public var bytes: Int
        /// Its SHA-256 in hexadecimal digits.
        public var sha256: String
    }

    /// The format's version.
    public var format: Int
    /// The group.
    public var group: Group
    /// The generation.
    public var generation: GenerationEntry
    /// What it still protected, once it was retired.
    public var census: Census?
    /// Who can open it.
    public var recipients: [RecipientEntry]
    /// The member with the key.
    public var member: Member
    /// Secrets made for rehearsals: what the key has to open.
    public var samples: [Sample]
    /// When the bundle was written, RFC 3339.
    public var written: String

    /// The JSON (RFC 8259) that is signed: names sorted, so that the same manifest is always the same bytes.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [10]
    }

    /// The JSON that was signed.
    public func json() throws -> [UInt8] { try encoded() }

    /// Reads what a signature was verified over.
    ///
    /// - Throws: ``ArchiveError`` with `newerFormat` or `malformed`.
    package init(decoding bytes: [UInt8], place: String) throws {
        struct Version: Decodable { var format: Int }
        let malformed = ArchiveError(.malformed, "\(place): the manifest is not what keyroll writes")
        let data = Data(bytes)
        guard let version = try? JSONDecoder().decode(Version.self, from: data) else { throw malformed }
        guard version.format <= Self.format else {
            throw ArchiveError(
                .newerFormat, "\(place): was written by a newer keyroll (format \(version.format)); install that one")
        }
        // The one encoding: no name twice, none that this version does not know.
        guard let decoded = try? JSONDecoder().decode(Manifest.self, from: data),
            (try? decoded.encoded()) == bytes, decoded.format == Self.format,
            decoded.generation.algorithm == "A256KW", decoded.generation.number > 0
        else { throw malformed }
        self = decoded
    }

    init(
        group: Group, generation: GenerationEntry, census: Census?, recipients: [RecipientEntry], member: Member,
        samples: [Sample], written: Timestamp
    ) {
        format = Self.format
        self.group = group
        self.generation = generation
        self.census = census
        self.recipients = recipients
        self.member = member
        self.samples = samples
        self.written = written.description
    }
}

extension Manifest.GenerationEntry {
    init(_ generation: Generation) {
        self.init(
            number: generation.number, identity: generation.identity.description, algorithm: "A256KW",
            checkValue: hexadecimal(generation.checkValue), state: generation.state.rawValue,
            history: generation.history.map {
                .init(
                    state: $0.state.rawValue, at: $0.at.description, sequence: $0.sequence, reason: $0.reason,
                    occurred: $0.occurred?.description)
            })
    }

    /// The history as the ring keeps it; nil where a state or a time is none.
    public var transitions: [Generation.Transition]? {
        let steps = history.compactMap { step -> Generation.Transition? in
            guard let state = GenerationState(rawValue: step.state), let at = Timestamp(step.at) else { return nil }
            return .init(
                state: state, at: at, sequence: step.sequence, reason: step.reason,
                occurred: step.occurred.flatMap { Timestamp($0) })
        }
        return steps.count == history.count && !steps.isEmpty ? steps : nil
    }
}
